"""Exported Verilog has plain identifiers only, and they stay apart."""

import re

from hw.config import GicConfig
from hw.export import to_verilog
from hw.plain_names import plain_names


def test_dots_brackets_and_temporaries_become_plain():
    text = "wire [3:0] \\request.value ;\nassign \\lr[0] [1:0] = \\$12 ;\n"
    assert plain_names(text) == "wire [3:0] request__value ;\nassign lr__0 [1:0] = _12 ;\n"


def test_the_same_name_stays_the_same_and_different_ones_stay_apart():
    text = "\\a.b = \\a[b] ; \\a.b = a__b;\n"
    assert plain_names(text) == "a__b_ = a__b__ ; a__b_ = a__b;\n"


def test_a_name_that_would_start_with_a_digit_gets_an_underscore():
    assert plain_names("\\7.seg = \\$7 ;") == "_7__seg = _7 ;"


def test_keywords_stay_escaped():
    assert plain_names("reg \\priority ;") == "reg \\priority ;"


def test_exported_verilog_escapes_nothing_but_keywords():
    escaped = set(re.findall(r"\\(\S+)", to_verilog(GicConfig(lrs=2), 2)))
    assert escaped <= {"matches", "priority"}
