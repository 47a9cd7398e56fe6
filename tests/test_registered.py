import pytest

from borderlab.registered import modules_by_name


def test_a_member_is_the_module_of_its_name():
    assert modules_by_name("borderlab.padding", ("zeros", "partial")) == {
        "zeros": "borderlab.padding.zeros",
        "partial": "borderlab.padding.partial",
    }


def test_a_repeated_name_is_an_error():
    with pytest.raises(ValueError, match=r"borderlab\.padding: registered twice: zeros"):
        modules_by_name("borderlab.padding", ("zeros", "partial", "zeros"))
