from scheduler.core.ledger.holding import Seated
from scheduler.core.ledger.use_counts import UseCounts
from scheduler.core.model.reason import Holder
from scheduler.core.model.sharing.queue import Account


def test_a_tenants_use_is_the_sum_over_all_clusters_in_thousandths() -> None:
    counts = UseCounts()
    counts.add("alpha", [("east", "h100", 2_000)])
    counts.add("alpha", [("west", "h100", 250)])
    counts.add("alpha", [("west", "mlu", 1_000)])
    assert counts.held_by("alpha") == {"h100": 2_250, "mlu": 1_000}
    assert counts.held_by("beta") == {}


def test_holders_of_a_cluster_come_most_first_and_then_by_tenant() -> None:
    counts = UseCounts()
    for tenant, devices in (("b", 1), ("a", 1), ("c", 2)):
        counts.add(tenant, [("east", "h100", devices * 1_000)])
    assert counts.holders("east", "h100") == (Holder("c", 2), Holder("a", 1), Holder("b", 1))
    assert counts.holders("west", "h100") == ()
    assert counts.holders("east", "mlu") == ()


def test_shares_are_rounded_up_to_whole_devices_and_ordered_by_what_they_are() -> None:
    counts = UseCounts()
    counts.add("a", [("east", "h100", 1)])
    counts.add("b", [("east", "h100", 999)])
    counts.add("c", [("east", "h100", 1_001)])
    assert counts.holders("east", "h100") == (Holder("c", 2), Holder("b", 1), Holder("a", 1))


def test_a_tenant_that_gave_everything_back_is_no_holder() -> None:
    counts = UseCounts()
    counts.add("alpha", [("east", "h100", 1_250)])
    counts.add("alpha", [("east", "h100", 1_000)], -1)
    assert counts.holders("east", "h100") == (Holder("alpha", 1),)
    counts.add("alpha", [("east", "h100", 250)], -1)
    assert counts.holders("east", "h100") == ()
    assert counts.held_by("alpha") == {}


def test_all_that_is_held_is_told_by_cluster_chip_and_tenant() -> None:
    counts = UseCounts()
    counts.add("a", [("east", "h100", 1_500)])
    for sign in (1, -1):
        counts.add("b", [("east", "h100", 2_000)], sign)
    assert counts.all_held() == (("east", "h100", "a", 1_500),)


def test_what_a_queue_holds_is_held_by_all_that_it_is_in() -> None:
    counts = UseCounts()
    counts.regroup({"org": ("org",), "a": ("a", "org"), "b": ("b", "org")})
    counts.add("a", [("east", "h100", 1_000)], account=Account("a", "ada"))
    counts.add("a", [("east", "h100", 2_000), ("west", "h100", 500)], account=Account("b", "ada"))
    assert [counts.held_by(name) for name in ("a", "b", "org")] == [{"h100": 1_000}, {"h100": 2_500}, {"h100": 3_500}]
    assert [counts.holdings(name) for name in ("a", "b", "org")] == [1, 1, 2]
    assert (counts.holdings("org", "ada"), counts.holdings("org", "bob")) == (2, 0)
    assert counts.total_milli("h100") == 3_500


def test_queues_that_are_moved_take_with_them_what_they_hold() -> None:
    def fill(counts: UseCounts) -> UseCounts:
        for number, name in enumerate(("a", "b", "within"), start=1):
            counts.add(name, [("east", "h100", number * 1_000)], account=Account(name, "ada"))
        return counts

    def figures(counts: UseCounts) -> list[object]:
        names = ("org", "a", "b", "within", "other")
        return [(counts.held_by(name), counts.holdings(name), counts.holdings(name, "ada")) for name in names]

    before = {"org": ("org",), "a": ("a", "org"), "b": ("b", "org"), "within": ("within", "a", "org")}
    after = {
        "org": ("org",),
        "other": ("other",),
        "a": ("a", "other"),
        "b": ("b", "org"),
        "within": ("within", "b", "org"),
    }
    counts, fresh = UseCounts(), UseCounts()
    fresh.regroup(after)
    counts.regroup(before)
    fill(counts).regroup(after)
    assert figures(counts) == figures(fill(fresh))
    assert counts.version > 0


def test_what_is_taken_in_a_trial_for_nobody_counts_for_nobody() -> None:
    counts = UseCounts()
    counts.add("", [("east", "h100", 1_000)])
    assert (counts.total_milli("h100"), counts.holdings("")) == (0, 0)


def test_what_is_noted_counts_when_somebody_reads_and_what_is_taken_back_before_counts_for_nothing() -> None:
    counts = UseCounts()
    kept, tried = (Seated("alpha", [], (("east", "h100", milli),)) for milli in (1_000, 2_000))
    counts.note(kept, ())
    counts.note(tried, ())
    counts.note(tried, (), -1)
    before = counts.version
    assert counts.held_by("alpha") == {"h100": 1_000}
    counts.note(kept, (), -1)
    assert counts.holdings("alpha") == 0
    assert counts.held_by("alpha") == {}
    assert counts.total_milli("h100") == 0
    assert counts.version > before


def test_what_was_noted_counts_whether_it_was_settled_or_is_read_first() -> None:
    settled, read = UseCounts(), UseCounts()
    for counts in (settled, read):
        counts.note(Seated("alpha", [], (("east", "h100", 2_000),), None), [])
    settled.settle()
    settled.settle()
    assert settled.held_by("alpha") == read.held_by("alpha") == {"h100": 2_000}
