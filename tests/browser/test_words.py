"""The dashboard's own arithmetic and words, asked in the browser that runs them."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser

from tests.browser.scene import Scene
from tests.browser.visit import Visit

LEARNT = "{earliest: '2026-01-01T00:12Z', latest: '2026-01-01T01:05Z', basis: 'learnt'}"


@pytest.fixture(scope="module")
def visit(chromium: Browser, scene: Scene) -> Iterator[Visit]:
    opened = Visit(chromium, scene.address, None)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("module", "expression", "want"),
    [
        ("words/amounts.js", "module.duration(200)", "3 min 20 s"),
        ("words/amounts.js", "module.duration(187200)", "2 d 4 h"),
        ("words/amounts.js", "module.duration(-3)", "0 s"),
        ("words/amounts.js", "module.ago('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:03:20Z'))", "3 min ago"),
        ("words/amounts.js", "module.ago('2026-01-01T00:03:20Z', Date.parse('2026-01-01T00:00:00Z'))", "in 3 min"),
        ("words/amounts.js", "module.memory(65536)", "64 GiB"),
        ("words/amounts.js", "module.memory(512)", "512 MiB"),
        ("words/amounts.js", "module.percent(1, 0)", "\u2013"),
        ("words/amounts.js", "module.figure(5.59791)", "5.598"),
        ("words/jobs.js", "module.ranges([3, 0, 1, 7])", "0-1, 3, 7"),
        ("words/jobs.js", "module.wantedChips({a: 2, b: 1})", "2 a + 1 b"),
        ("words/jobs.js", "module.startText(null, 0)", ""),
        ("words/jobs.js", f"module.startText({LEARNT}, 17672256e5)", "starts in 12 min to 1 h (learnt)"),
        ("words/jobs.js", "module.wantedChips(['a', 'b'])", "a, else b"),
        ("words/jobs.js", "module.program({command: ['sh', '-c', \"echo 'a b'\"]})", "sh -c 'echo '\"'\"'a b'\"'\"''"),
        ("words/jobs.js", "module.program({serve: {training: null}})", "the reference server, with fresh weights"),
        ("words/arrays.js", "module.placeInArray({name: 'a-sweep-12'})", ["a-sweep", 12]),
        ("words/arrays.js", "module.arrayState({succeeded: 3, queued: 1})", "queued"),
        ("words/arrays.js", "module.arrayState({succeeded: 3, failed: 1})", "failed"),
        (
            "parts/job_columns.js",
            "module.toggled('', 'fares')",
            "name,tenant,state,priority,workers,devices,chips,by,age",
        ),
        ("parts/job_columns.js", "module.toggled(module.toggled('', 'id'), 'id')", ""),
        ("parts/job_columns.js", "module.toggled('name,age', 'age')", "name"),
        ("parts/job_columns.js", "module.shownColumns('name,no,age', true).map((one) => one.key)", ["name", "age"]),
        (
            "words/yaml.js",
            "module.jobFile({name: 'a', share: null, roles: [], spread: {level: null}, stall_limit_s: null, port: 0})",
            "name: a\nstall_limit_s: null\nport: 0\n",
        ),
        ("words/nodes.js", "module.workOf({state: 'starting'}, 0)", "idle"),
        ("words/nodes.js", "module.workOf({state: 'running', progress: null}, 0)", "unreported"),
        ("words/nodes.js", "module.workOf({state: 'running', progress: {at: '1970-01-01T00:00:00Z'}}, 120000)", "busy"),
        ("words/nodes.js", "module.workOf({state: 'running', progress: {at: '1970-01-01T00:00:00Z'}}, 120001)", "idle"),
        ("parts/scales.js", "module.ticks(0, 10, 4)", [0, 2.5, 5, 7.5, 10]),
        ("parts/scales.js", "module.ticks(3, 3, 4)", [3]),
        ("parts/scales.js", "module.ticks(0, 1, 4, 1)", [0, 1]),
        ("parts/scales.js", "module.ticks(0, 40, 4, 1)", [0, 10, 20, 30, 40]),
        ("parts/scales.js", "module.lonePoints([[0, 1], null, [2, 3], [4, 5], null, null])", [[0, 1]]),
        ("parts/scales.js", "module.linePath([[0, 1], null, [2, 3], [4, 5]])", "M0.0 1.0M2.0 3.0L4.0 5.0"),
        ("parts/scales.js", "module.nearest([0, 10, 20], 14)", 1),
        ("parts/table.js", "module.inSight(2800, 560, 28, 20000)", [92, 128]),
        ("parts/table.js", "module.inSight(0, 560, 28, 3)", [0, 3]),
        ("parts/table.js", "module.turned('age', 'age')", "-age"),
        ("data/series.js", "module.fittingStep(86400, 60)", 300),
        ("data/series.js", "module.fittingStep(3600, 0)", 60),
        ("route.js", "module.routeTo(['jobs', 'a/b'], {q: 'x y', none: ''})", "#/jobs/a%2Fb?q=x+y"),
        ("route.js", "module.parseRoute('#/jobs/a%2Fb?q=x+y').path", ["jobs", "a/b"]),
        ("route.js", "module.parseRoute('#/jobs/%zz').path", ["jobs", "%zz"]),
        (
            "data/feed.js",
            "module.parseFrame('id: 7\\nevent: x\\ndata: {\"a\":1}')",
            {"id": "7", "event": "x", "data": '{"a":1}'},
        ),
        ("data/feed.js", "module.parseFrame(': heartbeat')", {}),
    ],
)
def test_words_and_figures(visit: Visit, module: str, expression: str, want: Any) -> None:
    assert visit.module(module, expression) == want


def test_the_jobs_of_an_array_are_folded_into_one_line_that_says_how_all_of_them_stand(visit: Visit) -> None:
    members = {0: "succeeded", 1: "running", 2: "queued", 4: "queued", 6: "queued", 8: "queued"}
    rows = [
        {"id": f"j{index}", "name": f"sweep-{index}", "state": state, "array": "a1", "workers": 2, "devices": 8}
        for index, state in members.items()
    ]
    single = {**rows[0], "id": "j9", "name": "alone-9", "array": None}
    script = (
        "(() => { const lines = module.folded(argument.filter((row) => row.state !== 'running'), "
        "module.standings(argument)); return lines.map((row) => [row.id, module.lineName(row), row.state, row.workers, "
        "row.members ? module.arraySituation(row) : null, module.jobsOf(row).length]); })()"
    )
    array = ["a1", "sweep[0, 2, 4, \u2026]", "running", 10, "6 jobs (5 listed): 4 queued, 1 running, 1 succeeded", 5]
    assert visit.module("words/arrays.js", script, [single, *rows]) == [
        ["j9", "alone-9", "succeeded", 2, None, 1],
        array,
    ]


def test_lines_stand_under_heads_that_say_what_is_below_them(visit: Visit) -> None:
    jobs = [
        {"id": "1", "tenant": "b", "state": "running", "devices": 8},
        {"id": "2", "tenant": "a", "state": "queued", "devices": 1},
        {"id": "3", "tenant": "b", "state": "queued", "devices": 4},
    ]
    members = [{"state": "queued"}, {"state": "queued"}, {"state": "running"}]
    lines = [*jobs, {"id": "4", "tenant": "b", "state": "running", "devices": 3, "members": members}]
    script = (
        "(() => { const {lines, by, sort} = argument; return module.grouped(lines, by, sort)"
        ".map((row) => row.below ? `${row.name}: ${module.headText(row)}` : row.id); })()"
    )

    def grouped(by: str, sort: str) -> Any:
        return visit.module("words/groups.js", script, {"lines": lines, "by": by, "sort": sort})

    head = "b: 5 jobs in 3 lines, 15 devices: 3 queued, 2 running"
    assert grouped("tenant", "age") == ["a: 1 job, 1 device: 1 queued", "2", head, "1", "3", "4"]
    assert grouped("tenant", "-tenant")[0] == head
    assert grouped("state", "age") == [
        "queued: 2 jobs, 5 devices", "2", "3",
        "running: 4 jobs in 2 lines, 11 devices: 2 queued, 2 running", "1", "4",
    ]  # fmt: skip


def test_a_stream_that_comes_in_pieces_gives_whole_frames(visit: Visit) -> None:
    script = (
        "(() => { const frames = []; const read = module.frameReader((frame) => frames.push(frame));"
        "for (const piece of ['id: 1\\n', '\\nid: 2\\nda', 'ta: x\\n\\nid', ': 3']) read(piece); return frames; })()"
    )
    assert visit.module("data/feed.js", script) == [{"id": "1"}, {"id": "2", "data": "x"}]


SERIES = {
    "step_s": 900,
    "by": "pool",
    "times": ["2026-01-01T00:00:00Z", "2026-01-01T00:15:00Z"],
    "series": [
        {"name": "a", "capacity": [8, None], "allocated": [4, None], "busy": [1, None], "idle": [3, None]},
        {"name": "b", "capacity": [8, 8], "allocated": [2, 2], "busy": [2, 1], "idle": [0, 1]},
    ],
}


def test_the_apis_series_becomes_lines_and_their_sum_leaves_out_what_nobody_knows(visit: Visit) -> None:
    script = "(() => { const {times, lines} = module.fromApi(argument); return [times, module.total(lines, 2)]; })()"
    times, total = visit.module("data/series.js", script, SERIES)
    assert times[1] - times[0] == 900_000
    assert (total["capacity"], total["busy"], total["idle"]) == ([16, 8], [3, 1], [3, 1])
    assert total["unreported"] == [None, None]


@pytest.mark.parametrize(
    ("measured_minutes", "want"),
    [
        (None, {"range": 3600, "since": None}),
        (10, {"range": 3600, "since": (1440 - 10) * 60_000}),
        (200, {"range": 21_600, "since": (1440 - 200) * 60_000}),
        (1000, {"range": 86_400, "since": None}),
        (1440, {"range": 86_400, "since": None}),
    ],
)
def test_the_range_of_a_young_server_is_one_that_shows_something(
    visit: Visit, measured_minutes: int | None, want: dict[str, Any]
) -> None:
    first = 1440 - (measured_minutes or 0)
    figures = [1.0 if measured_minutes is not None and minute >= first else None for minute in range(0, 1440, 5)]
    series = {"times": [minute * 60_000 for minute in range(0, 1440, 5)], "lines": [{"allocated": figures}]}
    script = "module.fittingRange(argument, 1440 * 60000)"
    assert visit.module("data/series.js", script, series) == want


def test_tenants_stand_on_each_other_and_those_beyond_six_are_one_area(visit: Visit) -> None:
    lines = [{"name": f"t{number}", "allocated": [8 - number, None]} for number in range(8)]
    full = [{"capacity": [], "busy": [], "idle": [], "unreported": [], **line} for line in lines]
    script = "module.stacked(argument, 2).map(({name, values, look}) => [name, values, look])"
    shown = visit.module("parts/shares.js", script, full)
    assert [name for name, *_ in shown] == ["t0", "t1", "t2", "t3", "t4", "3 others"]
    assert shown[-1][1:] == [[6, None], "look-tenant-5"]
    assert len(visit.module("parts/shares.js", script, full[:6])) == 6


def test_queues_stand_beneath_each_other_and_say_how_they_stand_by_what_they_are_due(visit: Visit) -> None:
    shares = [{"queue": "night", "parent": "vision"}, {"queue": "speech", "parent": "org"}, {"queue": "vision"}]
    script = "module.asTree(argument).map(({share, depth}) => [share.queue, depth])"
    assert visit.module("parts/queue_shares.js", script, shares) == [["speech", 0], ["vision", 0], ["night", 1]]
    standing = {"chip": "h100-sxm", "held": 0.25, "recent": 0.5, "against_due": 1.5}
    others = [standing, standing | {"against_due": 0.5}, standing | {"against_due": 1}, standing | {"chip": None}]
    assert visit.module("parts/queue_shares.js", "argument.map(module.inWords)", others) == [
        "1.50 x what it is due, over it; of h100-sxm: recent 50 %, held now 25 %",
        "0.50 x what it is due, under it; of h100-sxm: recent 50 %, held now 25 %",
        "1.00 x what it is due, even; of h100-sxm: recent 50 %, held now 25 %",
        "it has nothing, neither now nor lately",
    ]


def test_a_quota_counts_only_where_every_chip_type_has_one(visit: Visit) -> None:
    use = {
        "tenants": [{"tenant": "a", "chip": chip, "quota": quota} for chip, quota in (("x", 8), ("y", 4), ("z", None))]
    }
    script = "[['x'], ['x', 'y'], ['x', 'z'], []].map((chips) => module.quotaOf(argument, 'a', chips))"
    assert [(one["quota"], one["unlimited"]) for one in visit.module("parts/shares.js", script, use)] == [
        (8, []),
        (12, []),
        (None, ["z"]),
        (None, []),
    ]


def test_of_each_line_the_last_figures_that_somebody_took_count(visit: Visit) -> None:
    script = "Object.fromEntries(module.latest(module.fromApi(argument).lines))"
    assert visit.module("data/series.js", script, SERIES) == {
        "a": {"allocated": 4, "busy": 1, "idle": 3, "unreported": None},
        "b": {"allocated": 2, "busy": 1, "idle": 1, "unreported": None},
    }


@pytest.mark.parametrize(
    "spec",
    [
        {
            "name": "first",
            "chips": ["a", "b"],
            "command": ["sh", "-c", "echo 'a: b' # no\n"],
            "share": None,
            "empty": [],
        },
        {"labels": {"on": "yes", "10": "1e5", "a b": " c "}, "alternatives": [{"workers": 2, "chips": {"a": 1}}, {}]},
        {"environment": {"MARKUP": "<b>&\u202e\u00e9", "COLON": "a:b", "NULL": "null", "TIME": "12:30"}, "rate": 0.003},
    ],
)
def test_a_specification_as_yaml_is_what_it_was(visit: Visit, spec: dict[str, Any]) -> None:
    assert yaml.safe_load(visit.module("words/yaml.js", "module.yamlText(argument)", spec)) == spec


def test_what_the_feed_says_while_jobs_are_read_wins_over_what_was_read(visit: Visit) -> None:
    script = (
        "(async () => { const jobs = module.jobs; jobs.state = 'loaded';"
        "jobs.rows.set('a', argument[0]); await jobs.reconciled(async () => {"
        "jobs.takeIn([argument[1]]); jobs.rows.set('a', argument[0]); });"
        "return jobs.rows.get('a').state; })()"
    )
    event = {**EVENT, "job": "a", "state": "succeeded"}
    assert visit.module("data/jobs.js", script, [ROW, event]) == "succeeded"


ROW = {"id": "a", "state": "running", "attempts": 1, "progress": {"step": 1}, "stop_reason": None, "finished_at": None}
EVENT = {"number": 9, "at": "2026-01-01T00:00:00Z", "kind": "group-moved", "state": None, "data": {}}


@pytest.mark.parametrize(
    ("row", "event", "want"),
    [
        (
            {},
            {"state": "stopping", "data": {"stop": {"reason": "cancelled"}}},
            {"state": "stopping", "stop_reason": "cancelled"},
        ),
        ({}, {"state": "succeeded"}, {"state": "succeeded", "finished_at": EVENT["at"]}),
        ({"state": "succeeded"}, {"state": "running"}, {"state": "succeeded"}),
        (
            {},
            {"kind": "progress-reported", "data": {"step": 4}},
            {"state": "running", "progress": {"step": 4, "at": EVENT["at"]}},
        ),
        ({"priority": 0}, {"kind": "priority-changed", "data": {"priority": 7, "by": "ada"}}, {"priority": 7}),
        (
            {"state": "queued"},
            {"kind": "group-placed", "state": "placed", "data": {"number": 2}},
            {"state": "placed", "attempts": 2, "progress": None},
        ),
    ],
)
def test_a_row_follows_the_feed(visit: Visit, row: dict[str, Any], event: dict[str, Any], want: dict[str, Any]) -> None:
    moved = visit.module("data/jobs.js", "module.moved(argument[0], argument[1])", [{**ROW, **row}, {**EVENT, **event}])
    assert {name: moved[name] for name in want} == want


NODE = {"cluster": "c", "name": "n", "state": "ready", "topology": {"rack": "r"}, "holdings": []}
GROUP = {"chip": "a", "count": 4, "foreign": 0, "held": 0, "shared_milli": 0}
HOLDING = {"tenant": "t", "job": "j", "chip": "a", "devices": 2, "share": None, "slots": []}


@pytest.mark.parametrize(
    ("node", "want"),
    [
        ({"devices": [GROUP]}, ["0 free", "1 free", "2 free", "3 free"]),
        ({"devices": [GROUP], "holdings": [{**HOLDING, "slots": [1, 3]}]}, ["0 free", "1 held", "2 free", "3 held"]),
        ({"devices": [GROUP], "holdings": [HOLDING]}, ["null held", "null held", "null free", "null free"]),
        ({"devices": [GROUP], "state": "drained"}, [f"{number} unavailable" for number in range(4)]),
        ({"devices": [{**GROUP, "foreign": 1}]}, ["0 free", "1 free", "2 free", "3 foreign"]),
        (
            {
                "devices": [{**GROUP, "count": 1}, {**GROUP, "chip": "b", "count": 2}],
                "holdings": [{**HOLDING, "chip": "b", "devices": 0, "share": {"milli": 300}, "slots": [2]}],
            },
            ["0 free", "1 free", "2 shared"],
        ),
    ],
)
def test_every_device_of_a_node_has_its_use(visit: Visit, node: dict[str, Any], want: list[str]) -> None:
    script = "module.devicesOf(argument).map(({slot, use}) => `${slot} ${use}`)"
    assert visit.module("words/nodes.js", script, {**NODE, **node}) == want


@pytest.mark.parametrize(
    ("pieces", "want"),
    [
        (["a\nb", "c\n"], ["a", "bc"]),
        (["a\r\n", "\n"], ["a", ""]),
        (["\x1b[1;31mred\x1b[0m\n"], ["red"]),
        (["\x1b]8;;http://x\x07link\n"], ["link"]),
        (["a\u202eb\n"], ["a\ufffdb"]),
        (["tab\there\n"], ["tab\there"]),
    ],
)
def test_output_becomes_lines(visit: Visit, pieces: list[str], want: list[str]) -> None:
    script = (
        "(() => { const lines = new module.LogLines();"
        "for (const text of argument) lines.add({attempt: 1, rank: 0, text, skipped_bytes: 0});"
        "return lines.lines.map((line) => line.text); })()"
    )
    assert visit.module("job_parts/log_lines.js", script, pieces) == want


def test_ranks_do_not_mix_within_a_line_and_old_lines_are_dropped(visit: Visit) -> None:
    script = (
        "(() => { const lines = new module.LogLines();"
        "lines.add({attempt: 1, rank: 0, text: 'a', skipped_bytes: 0});"
        "lines.add({attempt: 1, rank: 1, text: 'b\\n', skipped_bytes: 7});"
        "lines.add({attempt: 1, rank: 0, text: 'c\\n', skipped_bytes: 0});"
        "const first = lines.lines.map((line) => `${line.rank} ${line.text}`);"
        "lines.add({attempt: 1, rank: 2, text: 'x\\n'.repeat(20000), skipped_bytes: 0});"
        "return [first, lines.lines.length, lines.dropped]; })()"
    )
    first, kept, dropped = visit.module("job_parts/log_lines.js", script)
    assert first == ["0 ac", "1 (7 bytes of older output are no longer kept)", "1 b"]
    assert (kept, dropped) == (10_000, 10_003)
