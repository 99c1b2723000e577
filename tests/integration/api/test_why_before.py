"""Why one job was placed before another one, from what was kept with its attempt."""

from tests.builders.api import ApiWorld


def test_who_overtook_whom_is_told_and_on_what_it_rested(world: ApiWorld) -> None:
    world.submit(name="holder", workers=1, devices_per_worker=1)
    world.step()
    large = world.submit(name="large", workers=2, devices_per_worker=8)
    small = world.submit(name="small", workers=1, devices_per_worker=1)
    world.step()
    client = world.client()
    told = client.get(f"/v1/jobs/{small}/why-before", params={"other": large}).json()
    assert told["because"] == "no-place"
    assert told["text"] == (
        f"Job {large} came first in the order, and could not start then: what was free would not do for it, or "
        "its quotas left it too little."
    )
    assert (told["grounds"]["overtook"], told["grounds"]["overtaken"]) == (1, [large])
    (attempt,) = client.get(f"/v1/jobs/{small}").json()["attempts"]
    assert attempt["grounds"] == told["grounds"]
    assert client.get(f"/v1/jobs/{large}/why-before", params={"other": small}).json()["because"] == "not-placed"


def test_where_a_job_waits_it_is_told_what_its_place_rests_on(world: ApiWorld) -> None:
    world.submit(name="holder", workers=1, devices_per_worker=1)
    world.step()
    large = world.submit(name="large", workers=2, devices_per_worker=8)
    world.step()
    standing = world.client().get(f"/v1/jobs/{large}/why").json()["standing"]
    assert (standing["policy"], standing["place"], standing["priority"]) == ("fair", 1, 0)


def test_a_job_is_compared_with_one_that_the_caller_may_see(world: ApiWorld) -> None:
    job = world.submit()
    assert world.client().get(f"/v1/jobs/{job}/why-before", params={"other": "0000000000000000"}).status_code == 404
    assert world.client().get(f"/v1/jobs/{job}/why-before").status_code == 422
