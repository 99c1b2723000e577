"""Whatever is planned comes back from its file as it was, and other programs are told the same layers."""

import json

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.mixing.filing.groups import groups_of
from scheduler.core.mixing.filing.plan_file import PlanFile, read_plan_file
from scheduler.core.mixing.launching.flagscale import flagscale_flags
from scheduler.core.mixing.launching.megatron import pipeline_layout
from scheduler.core.mixing.plan import Boundary, MemoryUse, Plan, Prediction, Stage, Transport
from tests.builders.plans import a_plan_file, a_shape, a_training
from tests.builders.training_options import check_meshes, layers_by_stage, parsed

seconds = st.floats(0, 1e6, allow_nan=False)
some_bytes = st.integers(0, 1 << 40)
memories = st.builds(MemoryUse, *[some_bytes] * 7)


@st.composite
def stages(draw: st.DrawFn) -> tuple[Stage, ...]:
    """Return stages that follow each other."""
    counts = draw(st.lists(st.integers(1, 30), min_size=1, max_size=12))
    return tuple(
        draw(
            st.builds(
                Stage,
                pool=st.text(max_size=20),
                chip=st.sampled_from(["h100-sxm", "mi300x", "ascend-910b2"]),
                first_layer=st.just(sum(counts[:place])),
                layers=st.just(count),
                tensor_parallel=st.sampled_from([1, 2, 4, 8]),
                recomputes=st.booleans(),
                forward_s=seconds,
                backward_s=seconds,
                gradient_sync_s=seconds,
                update_s=seconds,
                memory=memories,
                is_estimate=st.booleans(),
            )
        )
        for place, count in enumerate(counts)
    )


@st.composite
def plan_files(draw: st.DrawFn) -> PlanFile:
    """Return a plan with the training that it is for."""
    cut = draw(stages())
    edges = st.builds(Boundary, st.sampled_from(Transport), seconds, st.integers(0, 9))
    above = st.floats(1e-6, 1e6)
    plan = Plan(
        data_parallel=draw(st.integers(1, 64)),
        micro_batch=draw(st.integers(1, 16)),
        micro_batches=draw(st.integers(1, 512)),
        stages=cut,
        boundaries=tuple(draw(edges) for _ in cut[1:]),
        prediction=draw(st.builds(Prediction, above, above, above, st.booleans(), above, above, above)),
    )
    batch = plan.data_parallel * plan.micro_batch * plan.micro_batches
    shape = a_shape(layers=sum(stage.layers for stage in cut))
    return a_plan_file(training=a_training(shape=shape, global_batch=batch), plan=plan, why=draw(st.text(max_size=50)))


@given(plan_files())
def test_a_plan_comes_back_from_its_file_as_it_was(file: PlanFile) -> None:
    assert read_plan_file(json.loads(json.dumps(file.document))) == file


@given(plan_files())
def test_every_rank_has_its_place_in_one_stage(file: PlanFile) -> None:
    ranks = [rank for groups in groups_of(file.plan) for group in groups.tensor_groups() for rank in group]
    assert ranks == list(range(file.plan.devices))


@given(plan_files())
def test_other_programs_are_told_the_same_layers(file: PlanFile) -> None:
    counts = [stage.layers for stage in file.plan.stages]
    assert [stage.count("t") for stage in layers_by_stage(pipeline_layout(file.plan))] == counts
    options = parsed(flagscale_flags(file.plan, file.training).arguments)
    assert options["hetero_pipeline_layer_split"] == counts
    devices = sum(tp * cp * dp * pp for tp, cp, _, dp, pp in check_meshes(options))
    assert devices == file.plan.devices
