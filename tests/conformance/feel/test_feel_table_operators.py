"""FEEL operators, loops and quantifiers, clause by clause (DMN 1.5 §10.3.2).

Each row: an expression, and the literal of the value it must have. The values follow from the
text of the standard, or from the reading of it that the published suite settles.
"""

from __future__ import annotations

import pytest

from engine.decision import feel

# §10.3.2.9.5: negation and powers.
NEGATION = r"""
0 ** 0  ==>  1
2 ** 0.5  ==>  1.414213562373095048801688724209698
-2 ** 2  ==>  4
(-2) ** 0.5  ==>  null
- - 5  ==>  5
-(1)  ==>  -1
-"a"  ==>  null
-null  ==>  null
-@"P1Y"  ==>  @"-P1Y"
--1  ==>  1
5 - -5  ==>  10
"""
# §10.3.2.13: equality and order.
EQUALITY = r"""
1 = 1.0  ==>  true
[1] = 1  ==>  null
[1,2] = [1,2]  ==>  true
[1,2] = [2,1]  ==>  false
[1, null] = [1, null]  ==>  true
[1,"a"] = [1,2]  ==>  false
{a:1,b:2} = {b:2,a:1}  ==>  true
{a:1} = {a:1,b:null}  ==>  false
null = null  ==>  true
null != null  ==>  false
1 != null  ==>  true
1 != "1"  ==>  null
1 = "1"  ==>  null
true = "true"  ==>  null
@"2018-12-08T00:00:00Z" = @"2018-12-08T00:00:00@Etc/UTC"  ==>  true
@"2018-12-08T00:00:00+01:00" = @"2018-12-07T23:00:00Z"  ==>  true
time("10:30:00Z") = time("10:30:00@Etc/UTC")  ==>  true
time("10:30:00+01:00") = time("09:30:00Z")  ==>  true
time("10:30:00") = time("10:30:00Z")  ==>  false
@"2018-12-08" = @"2018-12-08T00:00:00"  ==>  null
@"P1Y" = @"P12M"  ==>  true
@"P1D" = @"PT24H"  ==>  true
@"P1Y" = @"P365D"  ==>  null
@"P0Y" = @"PT0S"  ==>  null
[1..2] = [1..2]  ==>  true
[1..2] = (1..2)  ==>  false
(<10) = (<10)  ==>  true
1 < null  ==>  null
null < null  ==>  null
"a" < "b"  ==>  true
true < false  ==>  null
[1] < [2]  ==>  null
@"P1Y" < @"P400D"  ==>  null
"""
# §10.3.2.7: between and in.
MEMBERSHIP = r"""
1 between 0 and 2  ==>  true
1 between 2 and 0  ==>  false
1 between null and 2  ==>  null
null between 1 and 2  ==>  null
"b" between "a" and "c"  ==>  true
1 between "a" and 2  ==>  null
1 in 1  ==>  true
1 in [1,2]  ==>  true
1 in (1,2)  ==>  true
1 in [[2..4],[1..3]]  ==>  true
1 in ([2..4],[1..3])  ==>  true
[1,2,3] in [[1,2,3,4],[1,2,3]]  ==>  true
[1,2,3] in ([[1,2,3,4]],[[1,2,3]])  ==>  true
[1,2,3] in ([1,2,3])  ==>  true
[1,2,3] in [1,2,3]  ==>  true
[1] in [1,2]  ==>  false
{a:1} in [{b:1},{a:1}]  ==>  true
1 in null  ==>  false
null in 1  ==>  false
null in null  ==>  true
null in [null]  ==>  true
null in (1, null)  ==>  true
1 in "a"  ==>  null
1 in <= 10  ==>  true
1 in (<= 10)  ==>  true
1 in (> 5, < 2)  ==>  true
1 in != 2  ==>  true
1 in (!= 2)  ==>  true
1 in (= 1)  ==>  true
1 in = 1  ==>  true
[1..2] in [[1..2]]  ==>  true
1 in [(<5)]  ==>  true
@"2020-01-01" in [@"2019-01-01" .. @"2021-01-01"]  ==>  true
5 in (1..10]  ==>  true
5 in ]1..5[  ==>  false
1 in []  ==>  false
1 in [null]  ==>  false
"a" in ["a".."c"]  ==>  true
true in [true]  ==>  true
"""
# §10.3.2.9.5: arithmetic; what does not go together is null.
ARITHMETIC = r"""
1 + null  ==>  null
null + 1  ==>  null
"a" + null  ==>  null
"a" + 1  ==>  null
[1] + 1  ==>  null
{a:1} + 1  ==>  null
1 / 0  ==>  null
1 / null  ==>  null
10 - "a"  ==>  null
"a" - "b"  ==>  null
"a" * 2  ==>  null
2 * "a"  ==>  null
@"P1Y" + @"P1D"  ==>  null
@"P1Y" / @"P6M"  ==>  2
@"P1D" / @"PT1H"  ==>  24
@"P1Y" * 1.5  ==>  @"P1Y6M"
1.5 * @"P1D"  ==>  @"P1DT12H"
1 / @"P1D"  ==>  null
@"P1D" / 0  ==>  null
@"P1Y" / 0  ==>  null
@"2020-01-01" + @"P1D"  ==>  @"2020-01-02"
@"P1D" + @"2020-01-01"  ==>  @"2020-01-02"
@"2020-01-01" - @"2019-01-01"  ==>  @"P365D"
@"2020-01-01" - @"P1M"  ==>  @"2019-12-01"
@"2020-01-31" + @"P1M"  ==>  @"2020-02-29"
@"2020-01-01T00:00:00" - @"2020-01-01"  ==>  null
@"2020-01-01T00:00:00Z" - @"2020-01-01"  ==>  @"PT0S"
@"2020-01-01" - @"2019-01-01T00:00:00Z"  ==>  @"P365D"
@"2020-01-01" + @"PT36H"  ==>  @"2020-01-02"
@"2020-01-01T10:00:00" + @"PT36H"  ==>  @"2020-01-02T22:00:00"
@"2020-01-01T10:00:00Z" - @"2020-01-01T10:00:00"  ==>  null
@"10:00:00" + @"PT15H"  ==>  @"01:00:00"
@"10:00:00" - @"PT15H"  ==>  @"19:00:00"
@"10:00:00" - @"09:00:00"  ==>  @"PT1H"
@"10:00:00Z" - @"09:00:00"  ==>  null
@"10:00:00Z" - @"09:00:00+01:00"  ==>  @"PT2H"
@"10:00:00" + @"P1Y"  ==>  null
@"2020-01-01" + 1  ==>  null
@"2020-01-01" + @"2020-01-01"  ==>  null
@"10:00:00" + @"10:00:00"  ==>  null
@"P1D" - @"PT1H"  ==>  @"PT23H"
@"P1Y" - @"P14M"  ==>  @"-P2M"
@"P1D" < @"PT25H"  ==>  true
10 ** 7000  ==>  null
1E3  ==>  1000
.5  ==>  0.5
-0  ==>  0
-0.0  ==>  0
0.0000000001  ==>  0.0000000001
1000000000000000000000000000000000000000  ==>  1000000000000000000000000000000000000000
100.00  ==>  100
if null then 1 else 2  ==>  2
if "a" then 1 else 2  ==>  2
"""
# §10.3.2.14: loops and quantifiers.
LOOPS = r"""
for i in 3..1 return i  ==>  [3, 2, 1]
for i in 1..1 return i  ==>  [1]
for i in -1..1 return i  ==>  [-1, 0, 1]
for i in 1..3 return sum(partial) + i  ==>  [null, null, null]
for i in [1,2], j in [3,4] return i*j  ==>  [3, 4, 6, 8]
for i in [[1,2],[3]], j in i return j  ==>  [1, 2, 3]
for i in 1..2, j in 1..i return j  ==>  [1, 1, 2]
for i in null return i  ==>  null
for i in 5 return i  ==>  [5]
for i in "ab" return i  ==>  ["ab"]
for i in 1.5..3 return i  ==>  null
for d in @"2020-01-01"..@"2020-01-03" return d  ==>  [@"2020-01-01", @"2020-01-02", @"2020-01-03"]
for d in @"2020-01-03"..@"2020-01-01" return d  ==>  [@"2020-01-03", @"2020-01-02", @"2020-01-01"]
for d in [@"2020-01-01"..@"2020-01-03"] return d  ==>  [@"2020-01-01", @"2020-01-02", @"2020-01-03"]
for i in [1..3] return i  ==>  [1, 2, 3]
for i in (1..3) return i  ==>  [2]
for i in ["a".."c"] return i  ==>  null
for i in "a".."c" return i  ==>  null
for t in @"2020-01-01T00:00:00".. @"2020-01-02T00:00:00" return t  ==>  null
some x in [1,2] satisfies x > 1  ==>  true
every x in [] satisfies x > 1  ==>  true
some x in [] satisfies x > 1  ==>  false
some x in [null] satisfies x > 1  ==>  null
every x in [1,null] satisfies x > 0  ==>  null
some x in null satisfies x  ==>  null
every x in [1,2] satisfies "a"  ==>  null
some x in 1..5 satisfies x = 3  ==>  true
every x in [1,2], y in [3,4] satisfies x < y  ==>  true
"""


def _rows(table: str) -> list[list[str]]:
    return [row.split("  ==>  ") for row in table.split("\n") if row]


@pytest.mark.parametrize(
    ("text", "literal"), _rows(NEGATION + EQUALITY + MEMBERSHIP + ARITHMETIC + LOOPS)
)
def test_it_gives_operators_the_value_of_the_standard(text: str, literal: str) -> None:
    assert feel.dumps(feel.evaluate(text)) == literal
