"""Names with spaces and signs, and whole expressions as people write them (DMN 1.5 §10.3.1.2).

Each row: an expression, the variables around it where there are any, the literal of its value.
"""

from __future__ import annotations

import pytest

from engine.decision import feel

NAMES = r"""
Wang's daughter.name  |  {"Wang's daughter.name": "Ling"}  ==>  "Ling"
a+b  |  {a: 1, b: 2, "a+b": 10}  ==>  10
a + b  |  {a: 1, b: 2, "a+b": 10}  ==>  10
a - b  |  {a: 3, b: 2}  ==>  1
a-b  |  {a: 3, b: 2}  ==>  1
a-b  |  {"a-b": 7}  ==>  7
`a b`  |  {"a b": 5}  ==>  5
`a-b` + 1  |  {"a-b": 5}  ==>  6
order.`total price`  |  {order: {"total price": 5}}  ==>  5
`first name`  |  {"first name": "x"}  ==>  "x"
foo bar + 1  |  {"foo bar": 1}  ==>  2
foo  bar + 1  |  {"foo bar": 1}  ==>  2
foo bar baz  |  {"foo bar baz": 1, "foo bar": 2}  ==>  1
a.b.c  |  {a: {b: {c: 1}}}  ==>  1
a.b  |  {a: [{b: 1}, {b: 2}]}  ==>  [1, 2]
a.b.c  |  {a: [{b: {c: 1}}, {b: {c: 2}}]}  ==>  [1, 2]
a.b[1]  |  {a: {b: [1, 2]}}  ==>  1
a[b > 1].c  |  {a: [{b: 1, c: 3}, {b: 2, c: 4}]}  ==>  [4]
a.b[c.d > 1]  |  {a: {b: [{c: {d: 2}}]}}  ==>  [{c: {d: 2}}]
民政 金额 + 1  |  {"民政 金额": 3}  ==>  4
名称 = "王"  |  {"名称": "王"}  ==>  true
x.y z  |  {x: {"y z": 2}}  ==>  2
x.y z.w  |  {x: {"y z": {w: 2}}}  ==>  2
if x then 1 else 2  |  {x: true}  ==>  1
in x  |  {"in x": 5}  ==>  5
x in y  |  {x: 1, y: [1, 2]}  ==>  true
is blank(x)  |  {x: " "}  ==>  true
sum  |  {sum: 5}  ==>  5
count(x)  |  {x: [1], count: 5}  ==>  1
foo.bar(1)  |  {foo: {}}  ==>  null
date  |  {date: 3}  ==>  3
date and time  |  {date: true, time: true}  ==>  true
time + 1  |  {time: 3}  ==>  4
not  |  {"not": 3}  ==>  3
a_b  |  {a_b: 1}  ==>  1
_x  |  {_x: 1}  ==>  1
?x  |  {"?x": 1}  ==>  1
?  |  {"?": 3}  ==>  3
€  |  {"€": 3}  ==>  3
🐎  |  {"🐎": 3}  ==>  3
x's  |  {"x's": 3}  ==>  3
a*b  |  {"a*b": 3}  ==>  3
a/b  |  {"a/b": 3}  ==>  3
a.b  |  {"a.b": 3}  ==>  3
a != b  |  {a: 1, b: 1}  ==>  false
x between 1 and 3 or false  |  {x: 2}  ==>  true
x in (1..3) and y in [1,2]  |  {x: 2, y: 2}  ==>  true
not (x)  |  {x: true}  ==>  false
not(x) or true  |  {x: true}  ==>  true
- x  |  {x: 1}  ==>  -1
-x + 1  |  {x: 1}  ==>  0
-x.y  |  {x: {y: 2}}  ==>  -2
-x[1]  |  {x: [2]}  ==>  -2
[a..b]  |  {a: 1, b: 2}  ==>  [1..2]
a.b  |  {a: null}  ==>  null
a.b.c = null  |  {}  ==>  true
[1,2,3,4][position]  |  {position: 2}  ==>  2
[1,2,3,4][a + 1]  |  {a: 1}  ==>  2
list[a]  |  {list: [1, 2], a: 2}  ==>  2
list[item.a = 2].b  |  {list: [{a: 2, b: 3}]}  ==>  [3]
"""
EVERYDAY = r"""
1 in [1..3]  ==>  true
5 between 1 and 10  ==>  true
{a:1}.a  ==>  1
"foo" = null  ==>  false
null = 5  ==>  false
10 + null  ==>  null
some fee in [ 70, 21, 105 ] satisfies fee > 100  ==>  true
every fee in [ 70, 21, 95 ] satisfies fee > 10  ==>  true
some x in [ 5, 6, 7 ], y in [ 10, 11, 6 ] satisfies x > y  ==>  true
for x in [ 10, 20, 30 ], y in [ 1, 2, 3 ] return x * y  ==>  [10, 20, 30, 20, 40, 60, 30, 60, 90]
{ rate : 0.5, fee : function( days ) 2 * rate * days, c: fee(10) }.c  ==>  10
{ next step : function() "review", shown : next step() }.shown  ==>  "review"
{ sums: { join: function(a,b) a+b }, both together : sums.join(1,2) }.both together  ==>  3
{ is due : function( clerk's days ) clerk's days < 3, now due : is due( 2 ) }.now due  ==>  true
{ full name: "x", b: full name + "y" }.b  ==>  "xy"
{ a-b: 1, c: a-b + 1 }.c  ==>  2
{ a+b : 3, c: a+b }.c  ==>  3
{ foo bar : 10 }.foo bar  ==>  10
{ in: 5 }.in  ==>  5
{ if then: 5 }.if then  ==>  5
{ "odd key!": 1 }.odd key!  ==>  1
{ a b: 1, c: { d e: a b + 1 } }.c.d e  ==>  2
max( 1, 2, 3 )  ==>  3
max( list: [1, 2, 3] )  ==>  3
sum( list: [1, 2, 3] )  ==>  6
[ "a", "b", "c" ][1]  ==>  "a"
[ 1, 2, 3 ][-1]  ==>  3
[ {x:1, y:2}, {x:2, y:3} ][ x = 1 ]  ==>  [{x: 1, y: 2}]
[ {x:1, y:2}, {x:2, y:3} ][ y > 1 ]  ==>  [{x: 1, y: 2}, {x: 2, y: 3}]
[ {x:1, y:2}, {x:null, y:3} ][ x < 2 ]  ==>  [{x: 1, y: 2}]
[ {y:2}, {x:2, y:3} ][ x > 1 ]  ==>  [{x: 2, y: 3}]
[1, 2, 3, 4][ item = "Hello" ]  ==>  []
[ {a: {b: 1}}, {a: {b: 2.1}}, {a: {b: 3}}, {a: {b: 4}} ].a.b  ==>  [1, 2.1, 3, 4]
[ {x:1, y:2} ].y = [2]  ==>  true
{x : "foo"}.x.length  ==>  null
date( "2016-07-29" ).year  ==>  2016
date( "-0105-07-29" )  ==>  @"-0105-07-29"
date( "2016-15-29" )  ==>  null
time( "23:59:00z" )  ==>  @"23:59:00Z"
time( "13:20:00-05:00" )  ==>  @"13:20:00-05:00"
time( "05:48:23.765" )  ==>  @"05:48:23.765"
time( 14, 52, 25, null )  ==>  @"14:52:25"
time( 14, 52, 25, duration("PT5H") )  ==>  @"14:52:25+05:00"
date and time( "2016-07-29T05:48:23.765-05:00" )  ==>  @"2016-07-29T05:48:23.765-05:00"
date and time( date and time("2012-12-25T11:00:00"), time("23:59:01") )  ==>  @"2012-12-25T23:59:01"
duration( "P2DT20H14M" )  ==>  @"P2DT20H14M"
duration( "P26M" )  ==>  @"P2Y2M"
duration( "hello" )  ==>  null
years and months duration( date("2011-12-22"), date("2013-08-24") )  ==>  @"P1Y8M"
years and months duration( date("2013-08-24"), date("2011-12-22") )  ==>  @"-P1Y8M"
duration( "P1Y2M" ) + date( "2016-07-29" )  ==>  @"2017-09-29"
date( "2016-07-29" ) - date( "2015-12-25" )  ==>  @"P217D"
date( "2016-07-29" ) - time( "14:45:00" )  ==>  null
time( "22:57:00" ) + duration( "P1DT1H1M" )  ==>  @"23:58:00"
time( "22:57:00" ) - duration( "PT1H1M" )  ==>  @"21:56:00"
time( "04:57:00" ) - duration( "PT23H1M" )  ==>  @"05:56:00"
duration( "P2Y2M" ) * 2  ==>  @"P4Y4M"
duration( "P2DT20H14M" ) / 2  ==>  @"P1DT10H7M"
duration( "P2Y2M" ) / 2  ==>  @"P1Y1M"
duration( "P2Y2M" ) / duration( "P2Y2M" )  ==>  1
duration( "P2DT20H14M" ) < duration( "P2DT20H14M" )  ==>  false
duration( "P2DT20H14M" ) = null  ==>  false
date( "2016-07-29" ) in [ date("2016-01-01")..date("2016-12-31") ]  ==>  true
date and time( "2016-07-29T05:48:23" ) < date and time( "2016-07-29T05:48:24" )  ==>  true
2 * duration( "P1Y" )  ==>  @"P2Y"
10 / duration( "P1Y" )  ==>  null
duration( "P1Y" ) * duration( "P1Y" )  ==>  null
duration( "P1DT1H" ) + duration( "P1Y" )  ==>  null
10 instance of number  ==>  true
"foo" instance of string  ==>  true
date("2016-08-11") instance of date  ==>  true
time("23:59:00") instance of time  ==>  true
[ 10, 20 ] instance of list  ==>  true
{ foo : "bar" } instance of context  ==>  true
duration("P11Y") instance of years and months duration  ==>  true
duration("P11D") instance of days and time duration  ==>  true
(function() true) instance of function  ==>  true
[1..10] instance of range<number>  ==>  true
matches("foobar", "^fo*bar")  ==>  true
matches( "FoObar", "^Fo*bar", "i" )  ==>  true
matches("fo\nbar", "fo.bar", "s")  ==>  true
replace( "abracadabra", "bra", "*" )  ==>  "a*cada*"
replace( "0123456789", "(\d{3})(\d{3})(\d{4})", "($1) $2-$3" )  ==>  "(012) 345-6789"
split( "a;b;c;;", ";" )  ==>  ["a", "b", "c", "", ""]
string length( "foobar" )  ==>  6
substring before( "foobar", "xyz" )  ==>  ""
contains( "foobar", "of" )  ==>  false
"Zhao"[item = 1]  ==>  []
string( 1.1 )  ==>  "1.1"
string( date("2016-08-14") )  ==>  "2016-08-14"
string( { a : "foo" } )  ==>  "{a: \"foo\"}"
string( [ 1, 2, 3, "foo" ] )  ==>  "[1, 2, 3, \"foo\"]"
string( duration("P2Y2M") )  ==>  "P2Y2M"
string( date and time("2016-07-29T05:48:23.765-05:00") )  ==>  "2016-07-29T05:48:23.765-05:00"
string( time("05:48:23.765-05:00") )  ==>  "05:48:23.765-05:00"
string( @"10:00:00@Europe/Paris" )  ==>  "10:00:00@Europe/Paris"
number( "1 000 000.01", " ", "." )  ==>  1000000.01
number( "1.000.000,01", ".", "," )  ==>  1000000.01
number( "1000000.01", null, "." )  ==>  1000000.01
number( "1 000", " ", "," ) + 1  ==>  1001
not( 3 = 3 )  ==>  false
decimal( 1/3, 2 )  ==>  0.33
decimal( 0.505, 2 )  ==>  0.5
decimal( 0.515, 2 )  ==>  0.52
floor( -1.5 )  ==>  -2
ceiling( -1.5 )  ==>  -1
round up(-5.5, 0)  ==>  -6
round half up(-5.5, 0)  ==>  -6
round half down(-5.5, 0)  ==>  -5
abs( -10 )  ==>  10
modulo( -12, 5 )  ==>  3
sqrt( 16 )  ==>  4
log( 10 )  ==>  2.302585092994045684017991454684364
exp( 5 )  ==>  148.4131591025766034211155800405523
odd( 5 )  ==>  true
even( 2 )  ==>  true
median( [ 8, 2, 5, 3, 4 ] )  ==>  4
stddev( [ 2, 4, 7, 5 ] )  ==>  2.081665999466132735282297706979931
mode( [ 6, 3, 9, 6, 6 ] )  ==>  [6]
all( [ true, null, true ] )  ==>  null
any( [ false, null, false ] )  ==>  null
all( true, false )  ==>  false
append( [1], 2, 3 )  ==>  [1, 2, 3]
list contains( [1, 2, null], null )  ==>  true
union( [1, 2, 1], [2, 3] )  ==>  [1, 2, 3]
distinct values( [ 1, 2, 3, 2, 1] )  ==>  [1, 2, 3]
flatten( [[1,2],[[3]], 4] )  ==>  [1, 2, 3, 4]
index of( [1, 2, 3, 2], 2 )  ==>  [2, 4]
index of( [1, 2, null, null], null )  ==>  [3, 4]
insert before( [1, 3], 1, 2 )  ==>  [2, 1, 3]
remove( [1, 2, 3], 2 )  ==>  [1, 3]
reverse( [1, 2, 3] )  ==>  [3, 2, 1]
sublist( [4, 5, 6], 1, 2 )  ==>  [4, 5]
sublist( [1, 2, 3], -2 )  ==>  [2, 3]
sort( list: [3,1,4,5,2], precedes: function(x,y) x < y )  ==>  [1, 2, 3, 4, 5]
sort( [ {x:2},{x:1} ], function(a, b) a.x < b.x )  ==>  [{x: 1}, {x: 2}]
get value( { key1 : "value1" }, "key1" )  ==>  "value1"
get entries( { key1 : "value1" } )[key = "key1"].value  ==>  ["value1"]
if 5 > 10 then "a" else if 5 > 3 then "b" else "c"  ==>  "b"
if (5 > 3) then (if 1 > 2 then 1 else 2) else 3  ==>  2
day of week( date(2019, 9, 17) )  ==>  "Tuesday"
day of year( date(2019, 9, 17) )  ==>  260
month of year( date(2019, 9, 17) )  ==>  "September"
week of year( date(2019, 9, 17) )  ==>  38
is( time("23:00:50z"), time("23:00:50") )  ==>  false
is( time("23:00:50z"), time("23:00:50+00:00") )  ==>  true
[1,2] + [3]  ==>  null
@"2021-01-01" + @"PT1H"  ==>  @"2021-01-01"
"foo" in [ "foo", "bar" ]  ==>  true
5 in [ (<3), (>4) ]  ==>  true
for i in 0..4 return if i = 0 then 1 else i * partial[-1]  ==>  [1, 1, 2, 6, 24]
for i in 4..0 return i  ==>  [4, 3, 2, 1, 0]
{ a: [1,2,3], b: a[item > 1], c: count(b) }.c  ==>  2
"""
WITHOUT_VALUES = r"""
[{a: 1}, {b: 2}][a < 10]  ==>  [{a: 1}]
{}.y = null  ==>  true
{x: null}.x = null  ==>  true
x = null  ==>  true
x != null  ==>  false
x > 3  ==>  null
not(x)  ==>  null
if x > 3 then 1 else 2  ==>  2
x + 1  ==>  null
-x  ==>  null
count(x)  ==>  null
x[1]  ==>  null
x.y[1].z  ==>  null
5 in x  ==>  false
[1,2,3][x]  ==>  []
[1,2,3][item > x]  ==>  []
null in (> 3)  ==>  null
null between 1 and 3  ==>  null
every a in x satisfies a  ==>  null
contains(null, "a")  ==>  null
contains("a", null)  ==>  null
list contains(null, 1)  ==>  null
is defined(x)  ==>  false
is defined(x.y)  ==>  false
is defined({a: null}.a)  ==>  false
get or else(x, "d")  ==>  "d"
get or else(x.y.z, 3)  ==>  3
{age: 5, string: "x"}.age  ==>  5
{date: 1, b: date + 1}.b  ==>  2
{time: 1, b: time}.b  ==>  1
{count: 3, b: count}.b  ==>  3
{sum: function(a) a + 100, b: sum(1)}.b  ==>  101
for date in [1,2] return date + 1  ==>  [2, 3]
some time in [1] satisfies time = 1  ==>  true
(function(list) count(list))([1,2])  ==>  2
(function(time offset) time offset)(1)  ==>  1
{a: {b: 1}, c: a.b}.c  ==>  1
{a: 1, b: {a: 2, c: a}}.b.c  ==>  2
{a: 1, b: {c: a}}.b.c  ==>  1
[1,2,3,4][item > 2][item < 4]  ==>  [3]
[{a: [{b: 1}, {b: 2}]}, {a: [{b: 3}]}].a.b  ==>  [[1, 2], [3]]
flatten([{a: [{b: 1}, {b: 2}]}, {a: [{b: 3}]}].a.b)  ==>  [1, 2, 3]
[[1,2],[3]][1]  ==>  [1, 2]
[{a: 1}, {a: null}, {}].a  ==>  [1, null, null]
[{a:1}][a = 1].a = [1]  ==>  true
[{a:1}][a = 1][1].a  ==>  1
[1, 2, 3][-2]  ==>  2
["a", "b"][item = "b"]  ==>  ["b"]
[true,false][item]  ==>  [true]
[true,false][not(item)]  ==>  [false]
[{x: true}][x]  ==>  [{x: true}]
[{x: 1}, {x: 2}][x]  ==>  {x: 1}
1 + 2 * 3 ** 2 / 3 - 1  ==>  6
(1 + 2) * 3  ==>  9
10 / 4  ==>  2.5
1 / 3  ==>  0.3333333333333333333333333333333333
10 - 4 - 3  ==>  3
2 * 3 + 4 * 5  ==>  26
-3 ** 2  ==>  9
0.1 + 0.2  ==>  0.3
0.1 + 0.2 = 0.3  ==>  true
1e3 + 1  ==>  1001
1.5e-3  ==>  0.0015
12345678901234567890 * 98765432109876543210  ==>  1219326311370217952237463801111264000000
100000000000000000000000000000000000 + 1  ==>  100000000000000000000000000000000000
5 = 5 = true  ==>  true
1 < 2 and 2 < 3  ==>  true
"a" in ("a", "b")  ==>  true
"c" in ("a", "b")  ==>  false
5 in (< 3, > 4)  ==>  true
5 in (1, [4..6])  ==>  true
5 in not(3)  ==>  false
5 in (not(3))  ==>  false
@"2020-01-15" in (@"2020-01-01"..@"2020-02-01")  ==>  true
"abc" < "abd"  ==>  true
"B" < "a"  ==>  true
"a" = "A"  ==>  false
"x" != "y"  ==>  true
"\n"  ==>  "\n"
"a\\b"  ==>  "a\\b"
"中文" + "字"  ==>  "中文字"
"it's"  ==>  "it's"
"say \"hi\""  ==>  "say \"hi\""
"a\/b"  ==>  "a\\/b"
"\x"  ==>  "\\x"
@"2020-01-01" < @"2020-01-02"  ==>  true
@"10:00:00" < @"11:00:00"  ==>  true
@"10:00:00+01:00" < @"10:00:00Z"  ==>  true
@"2020-01-01T00:00:00" > @"2019-12-31T23:59:59"  ==>  true
@"2020-01-01" = date("2020-01-01")  ==>  true
date("2020-01-01") + duration("P1M")  ==>  @"2020-02-01"
date("2020-01-31") + duration("P1M") - duration("P1M")  ==>  @"2020-01-29"
duration("PT1H") / 3  ==>  @"PT20M"
duration("P1Y") / 5  ==>  @"P2M"
duration("P1Y6M") / duration("P3M")  ==>  6
duration("P1D") * -1  ==>  @"-P1D"
duration("PT2H") + time("23:00:00")  ==>  @"01:00:00"
date and time("2020-01-01T10:00:00").hour  ==>  10
date and time("2020-01-01T10:00:00Z").timezone  ==>  null
time("10:00:00Z").time offset  ==>  @"PT0S"
date("2020-01-01").timezone  ==>  null
"""


def _rows(table: str) -> list[tuple[str, str, str]]:
    rows = []
    for row in filter(None, table.split("\n")):
        question, literal = row.split("  ==>  ")
        text, _, names = question.partition("  |  ")
        rows.append((text, names or "{}", literal))
    return rows


@pytest.mark.parametrize(("text", "names", "literal"), _rows(NAMES + EVERYDAY + WITHOUT_VALUES))
def test_it_reads_what_people_write(text: str, names: str, literal: str) -> None:
    assert feel.dumps(feel.evaluate(text, feel.evaluate(names))) == literal
