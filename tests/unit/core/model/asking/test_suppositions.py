from scheduler.core.model.asking.suppositions import CannotSuppose, UnknownSubject


def test_a_refusal_says_why_and_of_which_supposition_once_that_is_known() -> None:
    refusal = UnknownSubject("there is no node n9")
    assert isinstance(refusal, CannotSuppose)
    assert (refusal.args[0], refusal.at) == ("there is no node n9", None)
    assert CannotSuppose("it is so already", 2).at == 2
