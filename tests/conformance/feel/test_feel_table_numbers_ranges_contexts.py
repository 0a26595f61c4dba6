"""FEEL numbers, ranges, contexts and paths, one by one (DMN 1.5 §10.3.4.5–10).

Each row: an expression, and the literal of the value it must have. The values follow from the
text of the standard, or from the reading of it that the published suite settles.
"""

from __future__ import annotations

import pytest

from engine.decision import feel

# §10.3.4.5, §10.3.4.2.
NUMBERS = r"""
decimal(1/3,2)  ==>  0.33
decimal(1.5,0)  ==>  2
decimal(2.5,0)  ==>  2
decimal(0.125,2)  ==>  0.12
decimal(-2.5,0)  ==>  -2
decimal(1111.11,-2)  ==>  1100
decimal(1.5,null)  ==>  null
decimal(null,1)  ==>  null
decimal(1.5,0.5)  ==>  null
decimal(1.55,1.5)  ==>  null
decimal(1.5,6177)  ==>  null
decimal(1.5,-6112)  ==>  null
decimal("1",0)  ==>  null
decimal(n:1.5,scale:0)  ==>  2
floor(1.5)  ==>  1
floor(-1.5)  ==>  -2
floor(-1.56,1)  ==>  -1.6
floor(1.5,null)  ==>  null
floor(null)  ==>  null
floor("1")  ==>  null
floor(1,2,3)  ==>  null
ceiling(1.5)  ==>  2
ceiling(-1.56,1)  ==>  -1.5
round up(5.5,0)  ==>  6
round up(-1.126,2)  ==>  -1.13
round up(1.121,2)  ==>  1.13
round down(-1.126,2)  ==>  -1.12
round half up(5.5,0)  ==>  6
round half up(-5.5,0)  ==>  -6
round half down(5.5,0)  ==>  5
round half down(-1.126,2)  ==>  -1.13
round up(1.1)  ==>  null
round up(null,0)  ==>  null
round up(1.1,null)  ==>  null
abs(-1)  ==>  1
abs(@"-P1Y")  ==>  @"P1Y"
abs(@"-PT5H")  ==>  @"PT5H"
abs(null)  ==>  null
abs("1")  ==>  null
abs(n:-1)  ==>  1
modulo(12,5)  ==>  2
modulo(-12,5)  ==>  3
modulo(12,-5)  ==>  -3
modulo(-12,-5)  ==>  -2
modulo(10.1,4.5)  ==>  1.1
modulo(-10.1,4.5)  ==>  3.4
modulo(10.1,-4.5)  ==>  -3.4
modulo(-10.1,-4.5)  ==>  -1.1
modulo(1,0)  ==>  null
modulo(null,1)  ==>  null
sqrt(16)  ==>  4
sqrt(-1)  ==>  null
sqrt(2)  ==>  1.414213562373095048801688724209698
log(10)  ==>  2.302585092994045684017991454684364
log(0)  ==>  null
exp(5)  ==>  148.4131591025766034211155800405523
exp(null)  ==>  null
exp(100000)  ==>  null
odd(5)  ==>  true
odd(2)  ==>  false
odd(0)  ==>  false
odd(-1)  ==>  true
odd(1.5)  ==>  false
even(2)  ==>  true
even(0.0)  ==>  true
even(-2)  ==>  true
even(1.5)  ==>  false
odd(null)  ==>  null
odd("a")  ==>  null
not(true)  ==>  false
not(null)  ==>  null
not("a")  ==>  null
not(1)  ==>  null
not()  ==>  null
not(true,false)  ==>  null
not([true])  ==>  false
"""
# §10.3.4.10.
RELATIONS = r"""
before(1,10)  ==>  true
before(10,1)  ==>  false
before(1,[1..10])  ==>  false
before(1,(1..10])  ==>  true
before([1..10],10)  ==>  false
before([1..10),10)  ==>  true
before([1..5],[6..10])  ==>  true
before(null,1)  ==>  null
before(1,"a")  ==>  null
after(10,5)  ==>  true
after(12,[1..12])  ==>  false
after(12,[1..12))  ==>  true
meets([1..5],[5..10])  ==>  true
met by([5..10],[1..5])  ==>  true
overlaps([5..10],[1..6])  ==>  true
overlaps([1..5],[5..8])  ==>  true
overlaps([1..5),[5..8])  ==>  false
overlaps([1..5],(5..8])  ==>  false
overlaps before([1..5],[3..8])  ==>  true
overlaps before([1..5],[5..8])  ==>  true
overlaps before([1..5),[5..8])  ==>  false
overlaps before([1..5),(1..5])  ==>  true
overlaps before([1..5],(1..5])  ==>  true
overlaps before([1..5),[1..5])  ==>  false
overlaps before([1..5],[1..5])  ==>  false
overlaps before([1..5],(1..5))  ==>  false
overlaps after([5..8],[1..5])  ==>  true
overlaps after([3..8],[1..5])  ==>  true
overlaps after((1..5],[1..5))  ==>  true
overlaps after((1..5],[1..5])  ==>  true
overlaps after([1..5],[1..5))  ==>  false
overlaps after((1..5),[1..5])  ==>  false
finishes(10,[1..10])  ==>  true
finishes(10,[1..10))  ==>  false
finishes([5..10],[1..10])  ==>  true
finishes([5..10),[1..10])  ==>  false
finishes([5..10),[1..10))  ==>  true
finishes([1..10],[1..10])  ==>  true
finishes((1..10],[1..10])  ==>  true
finishes([1..10],(1..10])  ==>  false
finished by([1..10],10)  ==>  true
finished by([1..10],[5..10])  ==>  true
finished by([1..10),[5..10))  ==>  true
includes([1..10],5)  ==>  true
includes([1..10],12)  ==>  false
includes([1..10],[4..6])  ==>  true
includes((1..10],1)  ==>  false
includes((1..10),(1..10))  ==>  true
includes([1..10),[5..10])  ==>  false
during(5,[1..10])  ==>  true
during([4..6],[1..10])  ==>  true
during([1..10],(1..10))  ==>  false
starts(1,[1..10])  ==>  true
starts(1,(1..10])  ==>  false
starts([1..5],[1..10])  ==>  true
starts((1..5],(1..10])  ==>  true
starts([1..10],[1..10])  ==>  true
started by([1..10],1)  ==>  true
started by([1..10],[1..5])  ==>  true
started by((1..10],[1..5])  ==>  false
coincides(5,5)  ==>  true
coincides(3,4)  ==>  false
coincides([1..5],[1..5])  ==>  true
coincides((1..5),[1..5])  ==>  false
coincides([1..5],5)  ==>  null
is(1,1)  ==>  true
is(@"10:00:00Z",@"10:00:00@Etc/UTC")  ==>  true
is(@"2012-12-25",@"2012-12-25T00:00:00")  ==>  false
is(null,null)  ==>  true
is(1,"1")  ==>  false
is([1],[1])  ==>  true
"""
# §10.3.4.8.
DAYS = r"""
day of year(@"2019-09-17")  ==>  260
day of year(@"2020-12-31T10:00:00")  ==>  366
day of year("2020-01-01")  ==>  null
day of week(@"2019-09-17")  ==>  "Tuesday"
month of year(@"2019-09-17")  ==>  "September"
week of year(@"2003-12-29")  ==>  1
week of year(@"2004-01-04")  ==>  1
week of year(@"2005-01-01")  ==>  53
day of week(null)  ==>  null
"""
# §10.3.4.9.
CONTEXTS = r"""
context([{key:"a",value:1},{key:"b",value:2}])  ==>  {a: 1, b: 2}
context([{key:"a",value:1},{key:"a",value:2}])  ==>  null
context([{key:"a"}])  ==>  null
context({key:"a",value:1})  ==>  {a: 1}
context([])  ==>  {}
context(null)  ==>  null
context put({a:1},"b",2)  ==>  {a: 1, b: 2}
context put({a:1},"a",2)  ==>  {a: 2}
context put({a:{b:1}},["a","b"],2)  ==>  {a: {b: 2}}
context put({a:1},["x","y"],2)  ==>  {a: 1, x: {y: 2}}
context put({a:1},["a","b"],2)  ==>  null
context put(null,"a",1)  ==>  null
context put({a:1},null,1)  ==>  null
context put({a:1},[],1)  ==>  null
context put({a:1},1,1)  ==>  null
context put(context:{a:1},key:"b",value:2)  ==>  {a: 1, b: 2}
context put(context:{a:1},keys:["b"],value:2)  ==>  {a: 1, b: 2}
context put({a:1},["b",null],2)  ==>  null
context merge([{a:1},{b:2}])  ==>  {a: 1, b: 2}
context merge([{a:1},{a:2}])  ==>  {a: 2}
context merge({a:1})  ==>  {a: 1}
context merge([])  ==>  {}
context merge(null)  ==>  null
context merge([{a:1},null])  ==>  null
context merge({a:1},{b:2})  ==>  null
get value({a:1},"a")  ==>  1
get value({a:1},"b")  ==>  null
get value({a:{b:1}},["a","b"])  ==>  1
get value({a:1},null)  ==>  null
get value(null,"a")  ==>  null
get value({a:1},[])  ==>  null
get entries({a:1,b:null})  ==>  [{key: "a", value: 1}, {key: "b", value: null}]
get entries({})  ==>  []
get entries(null)  ==>  null
get entries(1)  ==>  null
"""
# §10.3.2.5: contexts and paths.
PATHS = r"""
{a:1,a:2}  ==>  null
{a:1, b:a+1}  ==>  {a: 1, b: 2}
{a:b, b:1}  ==>  {a: null, b: 1}
{"a":1}.a  ==>  1
{a: function(x) x+1, b: a(1)}.b  ==>  2
{a:1}[a=1]  ==>  [{a: 1}]
{a:1}[item.a=1]  ==>  [{a: 1}]
[{a:1},{a:2}][a=2].a  ==>  [2]
[{a:1},{a:2}].a  ==>  [1, 2]
[{a:1},{b:2}].a  ==>  [1, null]
[{a:[1,2]},{a:[3]}].a  ==>  [[1, 2], [3]]
[[{a:1}]].a  ==>  [[1]]
"""
# §10.3.2.5: positions and filters.
FILTERS = r"""
[1,2,3][1]  ==>  1
[1,2,3][-1]  ==>  3
[1,2,3][0]  ==>  null
[1,2,3][4]  ==>  null
[1,2,3][1.5]  ==>  null
[1,2,3][null]  ==>  []
[1,2,3][true]  ==>  [1, 2, 3]
[1,2,3][false]  ==>  []
[1,2,3][item > 1]  ==>  [2, 3]
[1,2,3][item]  ==>  1
[1,2,3][item > 1][1]  ==>  2
[][1]  ==>  null
[][true]  ==>  []
null[true]  ==>  null
null.a  ==>  null
1.a  ==>  null
"a".b  ==>  null
{}.a  ==>  null
{a:null}.a.b  ==>  null
[1,[2,3]][2][1]  ==>  2
[{x:1,y:2},{x:2,y:3}][x=1 and y=2]  ==>  [{x: 1, y: 2}]
[{x:1},{y:2}][x=1]  ==>  [{x: 1}]
[{x:null}][x=null]  ==>  [{x: null}]
[{item:5}][item = 5]  ==>  [{item: 5}]
[{x:{y:1}}][x.y=1]  ==>  [{x: {y: 1}}]
[1,2,3,4][even(item)]  ==>  [2, 4]
["a","b"][item="a"]  ==>  ["a"]
true[1]  ==>  true
"abc"[1]  ==>  "abc"
"abc"[item="abc"]  ==>  ["abc"]
[1..5][1]  ==>  [1..5]
[1..5].start  ==>  1
(>5).start  ==>  5
(>5).end  ==>  null
(>5).start included  ==>  false
(>5).end included  ==>  false
(<=5).end included  ==>  true
"""
# §10.3.2.9.2, Table 65.
PROPERTIES = r"""
@"2020-01-02T03:04:05.5+01:00".time offset  ==>  @"PT1H"
@"2020-01-02T03:04:05@Asia/Shanghai".timezone  ==>  "Asia/Shanghai"
@"2020-01-02T03:04:05@Asia/Shanghai".time offset  ==>  @"PT8H"
@"2020-01-02T03:04:05".time offset  ==>  null
@"2020-01-02T03:04:05.5".second  ==>  5
@"2020-01-02".weekday  ==>  4
@"2020-01-02".hour  ==>  null
@"03:04:05".year  ==>  null
@"P1Y2M".years  ==>  1
@"P1Y2M".days  ==>  null
@"P1DT2H3M4.5S".seconds  ==>  4
@"P1DT26H".days  ==>  2
@"-P1DT2H".hours  ==>  -2
"""
# §10.3.2.15: functions; and three truth values.
FUNCTIONS = r"""
for x in [1,2] return x.y  ==>  [null, null]
sum(for i in 1..100 return i)  ==>  5050
(function(x,y) x+y)(1,2)  ==>  3
(function(x,y) x+y)(y:1,x:2)  ==>  3
(function(x,y) x+y)(1)  ==>  null
(function(x: number) x)("a")  ==>  null
(function() 1)()  ==>  1
(function(x: list<number>) x)([1,"a"])  ==>  null
{f: function(n) if n <= 1 then 1 else n * f(n-1), r: f(10)}.r  ==>  3628800
{"+": 1}  ==>  {"+": 1}
{a: 1, "b c": 2, d: b c + a}  ==>  {a: 1, "b c": 2, d: 3}
{"foo+bar((!!],foo":"foo"}  ==>  {"foo+bar((!!],foo": "foo"}
{"foo": "bar"}.foo = "bar"  ==>  true
1 + if true then 1 else 2  ==>  2
if 1 = 1 then 1 else 2 + 5  ==>  1
not(1 > 2) and true  ==>  true
true and "a"  ==>  null
false and "a"  ==>  false
true or "a"  ==>  true
false or "a"  ==>  null
null and null  ==>  null
1 and true  ==>  null
"""


def _rows(table: str) -> list[list[str]]:
    return [row.split("  ==>  ") for row in table.split("\n") if row]


@pytest.mark.parametrize(
    ("text", "literal"),
    _rows(NUMBERS + RELATIONS + DAYS + CONTEXTS + PATHS + FILTERS + PROPERTIES + FUNCTIONS),
)
def test_it_gives_numbers_ranges_contexts_the_value_of_the_standard(
    text: str, literal: str
) -> None:
    assert feel.dumps(feel.evaluate(text)) == literal
