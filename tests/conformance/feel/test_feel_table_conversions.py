"""FEEL types and conversions, clause by clause (DMN 1.5 §10.3.2.9.3, §10.3.4.1).

Each row: an expression, and the literal of the value it must have. The values follow from the
text of the standard, or from the reading of it that the published suite settles.
"""

from __future__ import annotations

import pytest

from engine.decision import feel

# §10.3.2.9.3: instance of.
INSTANCES = r"""
null instance of Any  ==>  false
null instance of Null  ==>  true
1 instance of Any  ==>  true
1 instance of number  ==>  true
[1] instance of list  ==>  true
[1] instance of list<number>  ==>  true
[1] instance of list<string>  ==>  false
[1,"a"] instance of list<Any>  ==>  true
[] instance of list<number>  ==>  true
[null] instance of list<number>  ==>  true
{a:1} instance of context  ==>  true
{a:1} instance of context<a: number>  ==>  true
{a:1} instance of context<a: string>  ==>  false
{a:1,b:2} instance of context<a: number>  ==>  true
{a:1} instance of context<a: number, b: number>  ==>  false
{a:null} instance of context<a: number>  ==>  true
[1..2] instance of range<number>  ==>  true
[1..2] instance of range<string>  ==>  false
(<5) instance of range<number>  ==>  true
(function(x) x) instance of function  ==>  true
(function(x: number) x) instance of function<number> -> number  ==>  true
(function(x: number) x) instance of function<string> -> number  ==>  false
(function(x: number) x) instance of function<number> -> Any  ==>  true
(function(x: Any) x) instance of function<number> -> Any  ==>  true
(function() 1) instance of function<> -> number  ==>  true
(function(x: number, y: string) x) instance of function<number, string> -> Any  ==>  true
abs instance of function<number> -> number  ==>  true
1 instance of string  ==>  false
@"P1Y" instance of years and months duration  ==>  true
@"P1D" instance of days and time duration  ==>  true
@"P1D" instance of duration  ==>  true
@"2020-01-01" instance of date  ==>  true
@"2020-01-01T00:00:00" instance of date and time  ==>  true
@"2020-01-01T00:00:00" instance of date  ==>  false
@"2020-01-01" instance of date and time  ==>  false
@"10:00:00" instance of time  ==>  true
true instance of boolean  ==>  true
"""
# range().
RANGES = r"""
range("[1..3]")  ==>  [1..3]
range("(1..3)")  ==>  (1..3)
range("]1..3[")  ==>  (1..3)
range("[a..b]")  ==>  null
range("[\"a\"..\"b\"]")  ==>  ["a".."b"]
range("[@\"2020-01-01\"..@\"2020-02-01\"]")  ==>  [@"2020-01-01"..@"2020-02-01"]
range("[date(\"2020-01-01\")..date(\"2020-02-01\")]")  ==>  [@"2020-01-01"..@"2020-02-01"]
range("[1..)")  ==>  (>= 1)
range("(..3]")  ==>  (<= 3)
range("[..3]")  ==>  null
range("[1..]")  ==>  null
range("[]")  ==>  null
range("")  ==>  null
range(null)  ==>  null
range("[3..1]")  ==>  null
range("[1..\"a\"]")  ==>  null
range("[1+1..3]")  ==>  null
range("1")  ==>  null
range("[null..null]")  ==>  null
"""
# string().
STRINGS = r"""
string(1.10)  ==>  "1.1"
string(1E3)  ==>  "1000"
string(true)  ==>  "true"
string(null)  ==>  null
string("a")  ==>  "a"
string(["a",1,null])  ==>  "[\"a\", 1, null]"
string({a:1,b:"x",c:{d:[1]}})  ==>  "{a: 1, b: \"x\", c: {d: [1]}}"
string({"a b":1})  ==>  "{a b: 1}"
string([1..3])  ==>  "[1..3]"
string((<3))  ==>  "(< 3)"
string(@"P1Y2M")  ==>  "P1Y2M"
string(@"P12M")  ==>  "P1Y"
string(@"PT36H")  ==>  "P1DT12H"
string(@"PT0S")  ==>  "PT0S"
string(@"P0D")  ==>  "PT0S"
string(@"P0Y")  ==>  "P0M"
string(@"2020-01-01T10:00:00@Europe/Paris")  ==>  "2020-01-01T10:00:00@Europe/Paris"
string(@"2020-01-01T10:00:00.123456789Z")  ==>  "2020-01-01T10:00:00.123456789Z"
string(@"10:00:00+01:00")  ==>  "10:00:00+01:00"
string(@"10:00:00-00:00")  ==>  "10:00:00Z"
string(123456789012345678901234567890123456)  ==>  "123456789012345678901234567890123500"
string(0.00000001)  ==>  "0.00000001"
string(-1.0)  ==>  "-1"
string("a\"b")  ==>  "a\"b"
string(@"2020-01-01")  ==>  "2020-01-01"
"""
# number().
NUMBERS = r"""
number("1")  ==>  1
number("1,000.10", ",", ".")  ==>  1000.1
number("1 000,10", " ", ",")  ==>  1000.1
number("1.000,10", ".", ",")  ==>  1000.1
number("1,000", ",", ",")  ==>  null
number("1,000", ",", null)  ==>  1000
number("1000,5", null, ",")  ==>  1000.5
number("1,000", null, null)  ==>  null
number("1,000", "x", ".")  ==>  null
number("-1")  ==>  -1
number("1e3")  ==>  1000
number("+1")  ==>  null
number(" 1")  ==>  null
number(".5")  ==>  0.5
number("1.")  ==>  1
number("")  ==>  null
number(1)  ==>  null
number(null)  ==>  null
number(null, ",", ".")  ==>  null
number(from: "1.000.000,01", decimal separator: ",", grouping separator: ".")  ==>  1000000.01
number(from: "1")  ==>  1
number("Infinity")  ==>  null
number("NaN")  ==>  null
"""
# date().
DATES = r"""
date("2012-12-25")  ==>  @"2012-12-25"
date("2012-12-25T")  ==>  null
date("2012-12-25T11:00:00")  ==>  null
date("2012-13-25")  ==>  null
date("2012-02-30")  ==>  null
date("2012-2-3")  ==>  null
date("12-12-25")  ==>  null
date("+2012-12-25")  ==>  null
date("-2012-12-25")  ==>  @"-2012-12-25"
date("0000-01-01")  ==>  @"0000-01-01"
date("-0001-01-01")  ==>  @"-0001-01-01"
date("99999-12-31")  ==>  @"99999-12-31"
date("012345-12-31")  ==>  null
date("999999999-12-31")  ==>  @"999999999-12-31"
date("1000000000-12-31")  ==>  null
date("-999999999-12-31")  ==>  @"-999999999-12-31"
date(2012,12,25)  ==>  @"2012-12-25"
date(2012,13,25)  ==>  null
date(2012.5,12,25)  ==>  null
date("2012",12,25)  ==>  null
date(year:2012,month:12,day:25)  ==>  @"2012-12-25"
date(from:"2012-12-25")  ==>  @"2012-12-25"
date(@"2012-12-25T10:00:00")  ==>  @"2012-12-25"
date(@"10:00:00")  ==>  null
date(null)  ==>  null
date(1)  ==>  null
date([1])  ==>  null
date(2012,12)  ==>  null
"""
# time().
TIMES = r"""
time("10:30:00")  ==>  @"10:30:00"
time("10:30")  ==>  null
time("T10:30:00")  ==>  @"10:30:00"
time("24:00:00")  ==>  null
time("23:59:60")  ==>  null
time("10:30:00.123")  ==>  @"10:30:00.123"
time("10:30:00.")  ==>  null
time("10:30:00z")  ==>  @"10:30:00Z"
time("10:30:00@Europe/Paris")  ==>  @"10:30:00@Europe/Paris"
time("10:30:00@Foo/Bar")  ==>  null
time("10:30:00Z@Europe/Paris")  ==>  null
time("10:30:00+01:00@Europe/Paris")  ==>  null
time("10:30:00+19:00")  ==>  null
time("10:30:00+14:00")  ==>  @"10:30:00+14:00"
time("10:30:00+01")  ==>  null
time("10:30:00+01:00:30")  ==>  @"10:30:00+01:00:30"
time(10,30,0)  ==>  @"10:30:00"
time(10,30,0,null)  ==>  @"10:30:00"
time(10,30,0,@"PT1H")  ==>  @"10:30:00+01:00"
time(10,30,0.5)  ==>  @"10:30:00.5"
time(10,30,0,@"-PT1H30M")  ==>  @"10:30:00-01:30"
time(10,30,60)  ==>  null
time(24,0,0)  ==>  null
time(10,30)  ==>  null
time(10,30,0,@"PT20H")  ==>  null
time(@"2020-01-01")  ==>  @"00:00:00Z"
time(@"2020-01-01T10:30:00Z")  ==>  @"10:30:00Z"
time(@"2020-01-01T10:30:00")  ==>  @"10:30:00"
time(hour:10,minute:30,second:0)  ==>  @"10:30:00"
time(hour:10,minute:30,second:0,offset:@"PT1H")  ==>  @"10:30:00+01:00"
time(from:"10:30:00")  ==>  @"10:30:00"
"""
# date and time().
MOMENTS = r"""
date and time("2012-12-24T23:59:00")  ==>  @"2012-12-24T23:59:00"
date and time("2012-12-24")  ==>  @"2012-12-24T00:00:00"
date and time("2012-12-24T23:59")  ==>  null
date and time("2012-12-24T24:00:00")  ==>  null
date and time("2012-12-24T25:00:00")  ==>  null
date and time("2012-12-24T23:59:00@Asia/Shanghai")  ==>  @"2012-12-24T23:59:00@Asia/Shanghai"
date and time("2012-12-24T23:59:00+02:00@Asia/Shanghai")  ==>  null
date and time("-2012-12-24T23:59:00")  ==>  @"-2012-12-24T23:59:00"
date and time(@"2012-12-24", @"23:59:00")  ==>  @"2012-12-24T23:59:00"
date and time(@"2012-12-24T10:00:00", @"23:59:00")  ==>  @"2012-12-24T23:59:00"
date and time(@"2012-12-24", @"23:59:00Z")  ==>  @"2012-12-24T23:59:00Z"
date and time(date:@"2012-12-24", time:@"23:59:00")  ==>  @"2012-12-24T23:59:00"
date and time(from:"2012-12-24T23:59:00")  ==>  @"2012-12-24T23:59:00"
date and time("2012-12-24", "23:59:00")  ==>  null
date and time(null, @"23:59:00")  ==>  null
date and time("2012-12-24T23:59:00.1234567891")  ==>  @"2012-12-24T23:59:00.123456789"
date and time(@"2012-12-24")  ==>  @"2012-12-24T00:00:00Z"
date and time(2012,12,24)  ==>  null
date and time("2012-12-24 23:59:00")  ==>  null
"""
# duration() and years and months duration().
DURATIONS = r"""
duration("P1Y2M")  ==>  @"P1Y2M"
duration("P1Y2M3D")  ==>  null
duration("P")  ==>  null
duration("PT")  ==>  null
duration("P1DT")  ==>  null
duration("-P1D")  ==>  @"-P1D"
duration("P-1D")  ==>  null
duration("PT1.5S")  ==>  @"PT1.5S"
duration("PT1.S")  ==>  null
duration("PT.5S")  ==>  null
duration("P1W")  ==>  null
duration("P1M")  ==>  @"P1M"
duration("PT1M")  ==>  @"PT1M"
duration("P1H")  ==>  null
duration("")  ==>  null
duration(null)  ==>  null
duration("p1d")  ==>  null
duration("+P1D")  ==>  null
duration(@"P1D")  ==>  @"P1D"
duration("P1Y1D")  ==>  null
duration(1)  ==>  null
years and months duration(@"2020-01-31", @"2020-02-29")  ==>  @"P0M"
years and months duration(@"2020-02-29", @"2020-01-31")  ==>  @"P0M"
years and months duration(from:@"2011-12-22", to:@"2013-08-24")  ==>  @"P1Y8M"
years and months duration(@"2020-01-01T10:00:00", @"2021-01-01")  ==>  @"P1Y"
years and months duration(@"2020-01-01", null)  ==>  null
years and months duration("2020-01-01", "2021-01-01")  ==>  null
years and months duration(@"2011-12-22T10:00:00", @"2013-12-22T09:00:00")  ==>  @"P2Y"
"""


def _rows(table: str) -> list[list[str]]:
    return [row.split("  ==>  ") for row in table.split("\n") if row]


@pytest.mark.parametrize(
    ("text", "literal"),
    _rows(INSTANCES + RANGES + STRINGS + NUMBERS + DATES + TIMES + MOMENTS + DURATIONS),
)
def test_it_gives_conversions_the_value_of_the_standard(text: str, literal: str) -> None:
    assert feel.dumps(feel.evaluate(text)) == literal
