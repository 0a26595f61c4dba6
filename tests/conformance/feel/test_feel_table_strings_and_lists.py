"""FEEL functions of strings and lists, one by one (DMN 1.5 §10.3.4.3, §10.3.4.4).

Each row: an expression, and the literal of the value it must have. The values follow from the
text of the standard, or from the reading of it that the published suite settles.
"""

from __future__ import annotations

import pytest

from engine.decision import feel

# §10.3.4.3.
STRINGS = r"""
substring("foobar",3)  ==>  "obar"
substring("foobar",3,3)  ==>  "oba"
substring("foobar",-2,1)  ==>  "a"
substring("foobar",0)  ==>  null
substring("foobar",7)  ==>  null
substring("foobar",6)  ==>  "r"
substring("foobar",-6)  ==>  "foobar"
substring("foobar",-7)  ==>  null
substring("foobar",3,0)  ==>  null
substring("foobar",3,-1)  ==>  null
substring("foobar",3,100)  ==>  "obar"
substring("foobar",3.8)  ==>  "obar"
substring("foobar","3")  ==>  null
substring(null,1)  ==>  null
substring("foobar",null)  ==>  null
substring("foobar",3,null)  ==>  "obar"
substring("\U01F40Eab",2)  ==>  "ab"
substring(string:"foobar", start position:3)  ==>  "obar"
substring(string:"foobar", start position:3, length:2)  ==>  "ob"
substring()  ==>  null
substring("foobar")  ==>  null
substring("foobar",1,2,3)  ==>  null
string length("")  ==>  0
string length("\U01F40Eab")  ==>  3
string length(null)  ==>  null
string length(1)  ==>  null
upper case("aßc")  ==>  "ASSC"
lower case("ABÇ")  ==>  "abç"
substring before("foobar","bar")  ==>  "foo"
substring before("foobar","xyz")  ==>  ""
substring before("foobar","")  ==>  ""
substring before("","")  ==>  ""
substring after("foobar","ob")  ==>  "ar"
substring after("","a")  ==>  ""
substring after("foobar","")  ==>  "foobar"
substring after("foobar","x")  ==>  ""
replace("abcd","(ab)|(a)","[1=$1][2=$2]")  ==>  "[1=ab][2=]cd"
replace("foobar","^fox","x")  ==>  "foobar"
replace("aaa","a","b")  ==>  "bbb"
replace("abc","B","x","i")  ==>  "axc"
replace("a.b",".","x","q")  ==>  "axb"
replace("abc","(b)","$0$0")  ==>  "abbc"
replace("abc","b","\\$")  ==>  "a$c"
replace("abc","b","$")  ==>  "a$c"
replace("abc","b","\\")  ==>  "a\\c"
replace("abc","[a-z-[b]]","#")  ==>  "#b#"
replace("abc","b","x","z")  ==>  null
replace("abc","b",null)  ==>  null
replace("abc","(b","x")  ==>  null
replace("abracadabra","bra","*")  ==>  "a*cada*"
replace("abracadabra","a.*a","*")  ==>  "*"
replace("abracadabra","a","")  ==>  "brcdbr"
replace("abracadabra","a(.)","a$1$1")  ==>  "abbraccaddabbra"
replace("AAAA","A+?","b")  ==>  "bbbb"
replace("darted","^(.*?)d(.*)$","$1c$2")  ==>  "carted"
replace("a\nb","a.b","x")  ==>  "a\nb"
replace("a\nb","a.b","x","s")  ==>  "x"
replace("a\nb","^b","x","m")  ==>  "a\nx"
replace("abc"," b ","x","x")  ==>  "axc"
replace("abc","b","$10")  ==>  "a0c"
contains("foobar","of")  ==>  false
contains("foobar","")  ==>  true
contains("foobar",null)  ==>  null
starts with("foobar","fo")  ==>  true
ends with("foobar","r")  ==>  true
matches("foobar","^fo*b")  ==>  true
matches("foobar","^Fo*bar","i")  ==>  true
matches("abc","\\d")  ==>  false
matches("a1","\\d")  ==>  true
matches("a1","\d")  ==>  true
matches("abc","[a-z-[b]]{3}")  ==>  false
matches("abcabc","(abc)\\1")  ==>  true
matches("a","\\p{Ll}")  ==>  true
matches("a","\\p{IsBasicLatin}")  ==>  true
matches("a","\\i\\c*")  ==>  true
matches("a","(?i)A")  ==>  null
matches("a","a{2,1}")  ==>  null
matches("a","[b-a]")  ==>  null
matches("a",null)  ==>  null
matches("a","a",null)  ==>  true
matches("a","a","")  ==>  true
matches("hello world","hello\\ sworld","x")  ==>  true
matches("helloworld","hello world","x")  ==>  true
matches("hello\nworld","^world","m")  ==>  true
matches("x","^[^\\P{L}]$")  ==>  true
split("John Doe","\\s")  ==>  ["John", "Doe"]
split("a;b;c;;",";")  ==>  ["a", "b", "c", "", ""]
split("","a")  ==>  [""]
split("abc","")  ==>  ["a", "b", "c"]
split("a.b",".")  ==>  ["", "", "", ""]
split("a.b","\\.")  ==>  ["a", "b"]
split("abc",null)  ==>  null
split("John Doe","x")  ==>  ["John Doe"]
string join(["a","b","c"], "_and_")  ==>  "a_and_b_and_c"
string join(["a","b"], "")  ==>  "ab"
string join(["a","b"], null)  ==>  "ab"
string join(["a"], "X")  ==>  "a"
string join(["a",null,"c"],"X")  ==>  "aXc"
string join([],"X")  ==>  ""
string join(["a","b"])  ==>  "ab"
string join(["a",1],"X")  ==>  null
string join("a","X")  ==>  "a"
string join(null,"X")  ==>  null
string join(["a","b"],", ","[","]")  ==>  "[a, b]"
string join(list:["a","b"],delimiter:",")  ==>  "a,b"
"""
# §10.3.4.4: asking a list.
LISTS = r"""
list contains([1,2,3],2)  ==>  true
list contains([1,null],null)  ==>  true
list contains(null,1)  ==>  null
list contains([],1)  ==>  false
list contains([[1],[2]],[1])  ==>  true
list contains(1,1)  ==>  true
list contains([1,2], "1")  ==>  false
count([1,2,3])  ==>  3
count([])  ==>  0
count(null)  ==>  null
count(1)  ==>  1
count([null])  ==>  1
count(1,2)  ==>  null
min([1,2,3])  ==>  1
min(1,2,3)  ==>  1
min(1)  ==>  1
min([])  ==>  null
min("a","b")  ==>  "a"
min([null,1])  ==>  null
min([1,"a"])  ==>  null
min(null)  ==>  null
min()  ==>  null
max(@"2020-01-01",@"2021-01-01")  ==>  @"2021-01-01"
max([@"P1D",@"PT25H"])  ==>  @"P1DT1H"
max([[1]])  ==>  null
sum([1,2,3])  ==>  6
sum(1,2,3)  ==>  6
sum([])  ==>  null
sum([1,null])  ==>  null
sum(null)  ==>  null
sum(["a"])  ==>  null
sum(1)  ==>  1
sum([@"P1D",@"P1D"])  ==>  @"P2D"
mean([1,2,3])  ==>  2
mean(1,2)  ==>  1.5
mean([])  ==>  null
mean([1,null])  ==>  null
mean(1)  ==>  1
all([true,null])  ==>  null
all([false,null])  ==>  false
all([])  ==>  true
all(true)  ==>  true
all(null)  ==>  null
all([1])  ==>  null
all([true,1])  ==>  null
all(true,false)  ==>  false
any([true,null])  ==>  true
any([false,null])  ==>  null
any([])  ==>  false
any(null)  ==>  null
any(["a"])  ==>  null
any([true,1])  ==>  null
all(0)  ==>  null
any(0)  ==>  null
sublist([1,2,3],2)  ==>  [2, 3]
sublist([1,2,3],1,2)  ==>  [1, 2]
sublist([1,2,3],-1)  ==>  [3]
sublist([1,2,3],-2,1)  ==>  [2]
sublist([1,2,3],0)  ==>  null
sublist([1,2,3],4)  ==>  null
sublist([1,2,3],2,5)  ==>  null
sublist([1,2,3],1,-1)  ==>  null
sublist([1,2,3],1,null)  ==>  [1, 2, 3]
sublist(null,1)  ==>  null
sublist(list:[1,2,3],start position:2)  ==>  [2, 3]
"""
# §10.3.4.4: lists made of lists.
CHANGED = r"""
append([1],2,3)  ==>  [1, 2, 3]
append([1],[2])  ==>  [1, [2]]
append(1,2)  ==>  [1, 2]
append(null,1)  ==>  null
append([])  ==>  []
append([1],null)  ==>  [1, null]
append(list:[1],item:2)  ==>  [1, 2]
concatenate([1],[2,3])  ==>  [1, 2, 3]
concatenate([1],2)  ==>  [1, 2]
concatenate(1,2)  ==>  [1, 2]
concatenate([1],null)  ==>  null
concatenate()  ==>  null
concatenate([1])  ==>  [1]
insert before([1,3],1,2)  ==>  [2, 1, 3]
insert before([1,3],3,2)  ==>  null
insert before([1,3],2,2)  ==>  [1, 2, 3]
insert before([1,3],-1,2)  ==>  [1, 2, 3]
insert before([1,3],0,2)  ==>  null
insert before([],1,2)  ==>  null
insert before([1,3],-2,2)  ==>  [2, 1, 3]
insert before([1,3],-3,2)  ==>  null
insert before(null,1,2)  ==>  null
insert before([1,3],4,2)  ==>  null
insert before([1],null,2)  ==>  null
insert before(list:[1],position:1,newItem:2)  ==>  [2, 1]
insert before(list:[1],position:1,new item:2)  ==>  null
remove([1,2,3],2)  ==>  [1, 3]
remove([1,2,3],-1)  ==>  [1, 2]
remove([1,2,3],0)  ==>  null
remove([1,2,3],4)  ==>  null
remove(null,1)  ==>  null
remove([1],null)  ==>  null
remove(list:[1,2],position:1)  ==>  [2]
reverse([1,2,3])  ==>  [3, 2, 1]
reverse(null)  ==>  null
reverse(1)  ==>  [1]
index of([1,2,3,2],2)  ==>  [2, 4]
index of([1,null],null)  ==>  [2]
index of([],1)  ==>  []
index of(null,1)  ==>  null
index of([1],"a")  ==>  []
index of(1,1)  ==>  [1]
union([1,2],[2,3])  ==>  [1, 2, 3]
union([1,2],3)  ==>  [1, 2, 3]
union(null,[1])  ==>  null
union([null],[1,null])  ==>  [null, 1]
distinct values([1,2,3,2,1])  ==>  [1, 2, 3]
distinct values([1,null,null])  ==>  [1, null]
distinct values(null)  ==>  null
distinct values([1,"1",1.0])  ==>  [1, "1"]
distinct values(1)  ==>  [1]
flatten([[1,2],[[3]],4])  ==>  [1, 2, 3, 4]
flatten(null)  ==>  null
flatten(1)  ==>  [1]
flatten([null])  ==>  [null]
"""
# §10.3.4.4: numbers of a list; sort and replace.
STATISTICS = r"""
product([2,3,4])  ==>  24
product(2,3)  ==>  6
product([])  ==>  null
product(null)  ==>  null
product([1,null])  ==>  null
median(8,2,5,3,4)  ==>  4
median([6,1,2,3])  ==>  2.5
median([])  ==>  null
median(null)  ==>  null
median([1,null])  ==>  null
stddev(2,4,7,5)  ==>  2.081665999466132735282297706979931
stddev([47])  ==>  null
stddev([])  ==>  null
stddev(null)  ==>  null
stddev([1,null])  ==>  null
mode(6,3,9,6,6)  ==>  [6]
mode([6,1,9,6,1])  ==>  [1, 6]
mode([])  ==>  []
mode(null)  ==>  null
mode([1,null])  ==>  null
sort(list:[3,1,2], precedes: function(x,y) x<y)  ==>  [1, 2, 3]
sort([3,1,2], function(x,y) x>y)  ==>  [3, 2, 1]
sort([3,1,2])  ==>  [1, 2, 3]
sort([3,"a"])  ==>  null
sort(null)  ==>  null
sort(["b","a"])  ==>  ["a", "b"]
sort([1,2], 3)  ==>  null
sort(1, function(x,y) x<y)  ==>  [1]
list replace([1,2,3],2,9)  ==>  [1, 9, 3]
list replace([1,2,3],-1,9)  ==>  [1, 2, 9]
list replace([1,2,3],0,9)  ==>  null
list replace([1,2,3],4,9)  ==>  null
list replace([1,2,3],function(item,newItem) item > 1,9)  ==>  [1, 9, 9]
list replace([1,2,3],function(item) item > 1,9)  ==>  null
list replace([1,2,3],function(item,newItem) "a",9)  ==>  null
list replace(null,1,9)  ==>  null
list replace([1],null,9)  ==>  null
list replace([1], 1, null)  ==>  [null]
list replace(list:[1,2], position:1, newItem:5)  ==>  [5, 2]
list replace(list:[1,2], match:function(item,newItem) item=1, newItem:5)  ==>  [5, 2]
list replace(1,1,2)  ==>  [2]
"""


def _rows(table: str) -> list[list[str]]:
    return [row.split("  ==>  ") for row in table.split("\n") if row]


@pytest.mark.parametrize(("text", "literal"), _rows(STRINGS + LISTS + CHANGED + STATISTICS))
def test_it_gives_strings_and_lists_the_value_of_the_standard(text: str, literal: str) -> None:
    assert feel.dumps(feel.evaluate(text)) == literal
