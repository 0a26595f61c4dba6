"""Unary tests, as in the cells of a decision table (DMN 1.5 §7.3.3, §10.3.1.2 rule 15).

Each row: the test, the literal of the value it is put to, the variables around it, the answer.
"""

from __future__ import annotations

import pytest

from engine.decision import feel

TESTS = r"""
1  |  1  |  {}  ==>  true
1  |  2  |  {}  ==>  false
< 3  |  2  |  {}  ==>  true
<3  |  null  |  {}  ==>  false
> 3, < 1  |  5  |  {}  ==>  true
[1..3)  |  3  |  {}  ==>  false
]1..3]  |  1  |  {}  ==>  false
(1..3)  |  2  |  {}  ==>  true
[1..3[  |  3  |  {}  ==>  false
"a","b"  |  "b"  |  {}  ==>  true
not("a")  |  "b"  |  {}  ==>  true
not(1,2)  |  3  |  {}  ==>  true
not(< 3)  |  2  |  {}  ==>  false
-  |  null  |  {}  ==>  true
 -   |  1  |  {}  ==>  true
null  |  null  |  {}  ==>  true
not(null)  |  null  |  {}  ==>  false
not(null)  |  1  |  {}  ==>  true
true  |  true  |  {}  ==>  true
true  |  false  |  {}  ==>  false
false  |  false  |  {}  ==>  true
?  |  true  |  {}  ==>  true
? > 3  |  4  |  {}  ==>  true
?>3 and ?<5  |  4  |  {}  ==>  true
? = 3  |  3  |  {}  ==>  true
x  |  5  |  {x: 5}  ==>  true
x,y  |  5  |  {x: 4, y: 5}  ==>  true
[x..y]  |  5  |  {x: 4, y: 5}  ==>  true
< x + 1  |  5  |  {x: 5}  ==>  true
x > 3  |  1  |  {x: 5}  ==>  true
contains(?,"a")  |  "abc"  |  {}  ==>  true
starts with(?, "a")  |  "abc"  |  {}  ==>  true
date("2020-01-01")  |  @"2020-01-01"  |  {}  ==>  true
> date("2020-01-01")  |  @"2021-01-01"  |  {}  ==>  true
[date("2020-01-01")..date("2021-01-01")]  |  @"2020-06-01"  |  {}  ==>  true
duration("P1D")  |  @"P1D"  |  {}  ==>  true
[1,2,3]  |  2  |  {}  ==>  true
[1,2,3]  |  [1, 2, 3]  |  {}  ==>  true
2  |  [1, 2, 3]  |  {}  ==>  true
> 5  |  [1, 6]  |  {}  ==>  false
list contains(?,2)  |  [1, 2]  |  {}  ==>  true
count(?) > 1  |  [1, 2]  |  {}  ==>  true
{a:1}  |  {a: 1}  |  {}  ==>  true
?.a = 1  |  {a: 1}  |  {}  ==>  true
not(? = 3)  |  4  |  {}  ==>  true
not(contains(?, "a"))  |  "b"  |  {}  ==>  true
not(true)  |  true  |  {}  ==>  false
not(true)  |  false  |  {}  ==>  true
? in [1,2]  |  1  |  {}  ==>  true
? between 1 and 3  |  2  |  {}  ==>  true
every x in ? satisfies x > 0  |  [1, 2]  |  {}  ==>  true
some x in [1,2] satisfies x = ?  |  2  |  {}  ==>  true
[1..3], 7  |  7  |  {}  ==>  true
not([1..3])  |  5  |  {}  ==>  true
not([1..3], 7)  |  7  |  {}  ==>  false
= 3  |  3  |  {}  ==>  true
!= 3  |  3  |  {}  ==>  false
!= 3  |  4  |  {}  ==>  true
-1  |  -1  |  {}  ==>  true
-1, -2  |  -2  |  {}  ==>  true
- 1  |  -1  |  {}  ==>  true
not(-1)  |  -1  |  {}  ==>  false
"a" + "b"  |  "ab"  |  {}  ==>  true
1 + 1  |  2  |  {}  ==>  true
if ? > 1 then true else false  |  2  |  {}  ==>  true
abs(?) = 1  |  -1  |  {}  ==>  true
x.y  |  3  |  {x: {y: 3}}  ==>  true
upper case(?) = "A"  |  "a"  |  {}  ==>  true
null, 1  |  null  |  {}  ==>  true
null, 1  |  1  |  {}  ==>  true
5 > 3  |  1  |  {}  ==>  true
5 < 3  |  1  |  {}  ==>  false
not(5 < 3)  |  1  |  {}  ==>  true
a b  |  3  |  {"a b": 3}  ==>  true
`a-b`  |  3  |  {"a-b": 3}  ==>  true
> a-b  |  3  |  {"a-b": 1}  ==>  true
@"P1D"  |  @"P1D"  |  {}  ==>  true
< @"P2D"  |  @"P1D"  |  {}  ==>  true
?   |  1  |  {}  ==>  false
3.5  |  3.5  |  {}  ==>  true
(1)  |  1  |  {}  ==>  true
((1))  |  1  |  {}  ==>  true
(>1)  |  2  |  {}  ==>  true
not((>1))  |  2  |  {}  ==>  false
function(x) x > 1  |  2  |  {}  ==>  false
[<3]  |  2  |  {}  ==>  true
[[1..3]]  |  2  |  {}  ==>  true
([1..3])  |  2  |  {}  ==>  true
not(x > 3)  |  1  |  {x: 1}  ==>  true
not(x > 3)  |  1  |  {x: 5}  ==>  false
x > 3  |  1  |  {x: 1}  ==>  false
not(null, 1)  |  2  |  {}  ==>  true
not(null, 1)  |  null  |  {}  ==>  false
"a", "b", null  |  "c"  |  {}  ==>  false
[1..3], > 10, 7  |  11  |  {}  ==>  true
(1..3], 5  |  1  |  {}  ==>  false
not([1..3), 5)  |  3  |  {}  ==>  false
? in ([1..3], 5)  |  5  |  {}  ==>  true
? = null  |  null  |  {}  ==>  true
? != null  |  null  |  {}  ==>  false
< 3, ? = 10  |  10  |  {}  ==>  true
date(?) = date("2020-01-01")  |  "2020-01-01"  |  {}  ==>  true
? instance of number  |  1  |  {}  ==>  true
? instance of string  |  1  |  {}  ==>  false
string length(?) > 2  |  "abc"  |  {}  ==>  true
matches(?, "[a-z]+")  |  "abc"  |  {}  ==>  true
lower case(?) in ["a","b"]  |  "B"  |  {}  ==>  true
even(?)  |  2  |  {}  ==>  true
odd(?)  |  2  |  {}  ==>  false
modulo(?, 3) = 0  |  9  |  {}  ==>  true
> "a"  |  "b"  |  {}  ==>  true
["a".."c"]  |  "b"  |  {}  ==>  true
["a".."c"]  |  "d"  |  {}  ==>  false
< @"10:00:00"  |  @"09:00:00"  |  {}  ==>  true
not("a", "b")  |  "a"  |  {}  ==>  false
not("a", "b")  |  null  |  {}  ==>  true
> 3  |  null  |  {}  ==>  false
> 3  |  "a"  |  {}  ==>  false
1  |  "1"  |  {}  ==>  false
"1"  |  1  |  {}  ==>  false
[]  |  1  |  {}  ==>  false
[]  |  []  |  {}  ==>  true
"""


def _rows(table: str) -> list[list[str]]:
    return [row.replace("  ==>  ", "  |  ").split("  |  ") for row in table.split("\n") if row]


@pytest.mark.parametrize(("text", "value", "names", "answer"), _rows(TESTS))
def test_it_tests_values_as_a_cell_does(text: str, value: str, names: str, answer: str) -> None:
    found = feel.unary_test(text, feel.evaluate(value), feel.evaluate(names))

    assert found is (answer == "true")
