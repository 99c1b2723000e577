"""A request for a plan as the planner takes it."""

from api.problems import Code, FieldError, Refusal, refuse
from api.schemas.planning.request import ModelBody, PlanRequest
from api.text.words import did_you_mean
from scheduler.core.mixing.asked.problem import Constraints, Runtime
from scheduler.core.mixing.asked.shape import Experts, ModelShape
from scheduler.core.mixing.asked.training import Training
from scheduler.core.mixing.catalogue import MODELS
from scheduler.core.mixing.chips import Stated, bytes_per_s
from scheduler.core.mixing.filing.plan_file import BadPlanFile, OtherVersion, PlanFile, read_plan_file
from scheduler.core.model.identifiers import TenantName
from scheduler.services.planning.asked import Asked, TriedPlan, UnknownName

_TERA = 1e12
UNNAMED = "the model"
"""What a model is called whose shape alone was given."""


def asked_of(request: PlanRequest, tenant: TenantName | None) -> Asked:
    """Return what is asked of the planner. Raises Refusal for unknown models and for bad plan files."""
    between = request.network.between_vendors_gbit_s
    limits = request.limits
    training = _training(request)
    return Asked(
        training=training,
        tenant=tenant,
        constraints=Constraints(
            most_chip_types=limits.chip_types,
            least_tokens_per_s=limits.tokens_per_s,
            most_compute=limits.compute,
            most_chips=limits.devices,
            most_micro_batch=limits.micro_batch,
        ),
        runtime=Runtime(blocking_share=request.blocking_share),
        stated=Stated(
            node_link_bytes_per_s=bytes_per_s(request.network.node_gbit_s),
            flops_per_s={chip: rate * _TERA for chip, rate in request.tflops.items()},
        ),
        chips=request.chips,
        cluster=request.cluster,
        between_vendors_bytes_per_s=None if between is None else bytes_per_s(between),
        family=request.family,
        steps=request.steps,
        plans=request.plans,
        earlier=None if request.earlier is None else _plan_file(request.earlier, training, "/earlier"),
        tried=tuple(
            TriedPlan(_plan_file(one.plan, training, f"/tried/{place}/plan").plan, one.step_s)
            for place, one in enumerate(request.tried)
        ),
    )


def _training(request: PlanRequest) -> Training:
    return Training(
        shape=_shape(request.model),
        global_batch=request.global_batch,
        sequence=request.sequence,
        precision=request.precision,
        shards_optimiser=request.shards_optimiser,
        sequence_parallel=request.sequence_parallel,
        stores_scores=request.stores_scores,
        may_recompute=request.may_recompute,
        is_causal=request.is_causal,
    )


def _shape(model: str | ModelBody) -> ModelShape:
    if isinstance(model, str):
        if (known := MODELS.get(model)) is None:
            raise _unknown_model(model)
        return known
    return ModelShape(
        name=UNNAMED,
        layers=model.layers,
        hidden=model.hidden,
        heads=model.heads,
        key_value_width=model.key_value_width or model.hidden,
        feed_forward_width=model.feed_forward_width,
        vocabulary=model.vocabulary,
        is_gated=model.is_gated,
        ties_embeddings=model.ties_embeddings,
        learnt_positions=model.learnt_positions,
        experts=None if model.experts is None else Experts(model.experts.count, model.experts.active),
    )


def _unknown_model(name: str) -> Refusal:
    error = FieldError("/model", f"there is no model {name}")
    next_step = f"{did_you_mean(name, MODELS)}known are {', '.join(MODELS)}; any other is said by its shape"
    return refuse(Code.UNKNOWN_REFERENCE, f"There is no model {name}.", next_step, error)


def unknown_name(error: UnknownName, request: PlanRequest) -> Refusal:
    """Return that a chip type or a cluster is named which there is not."""
    errors = tuple(FieldError(_pointer(name, request), f"there is no {error.noun} {name}") for name in error.names)
    is_chip = error.noun == "chip type"
    next_step = f"{did_you_mean(error.names[0], error.known)}`medley {'chips' if is_chip else 'clusters'}` lists them"
    code = Code.UNKNOWN_CHIP if is_chip else Code.UNKNOWN_REFERENCE
    return refuse(code, f"There is no {error.noun} {error.names[0]}.", next_step, *errors)


def _pointer(name: str, request: PlanRequest) -> str:
    """Return where a request names something first."""
    if request.chips is not None and name in request.chips:
        return f"/chips/{request.chips.index(name)}"
    return f"/tflops/{name}" if name in request.tflops else "/cluster"


def _plan_file(document: dict[str, object], training: Training, pointer: str) -> PlanFile:
    try:
        file = read_plan_file(document)
    except BadPlanFile as bad:
        field = FieldError(f"{pointer}{bad.pointer}", bad.what)
        next_step = "plan anew without it" if isinstance(bad, OtherVersion) else "see docs/plan.schema.json"
        raise refuse(Code.INVALID_REQUEST, f"A plan file cannot be read: {bad}.", next_step, field) from None
    if file.training != training:
        field = FieldError(f"{pointer}/training", "is for another training than this one")
        raise refuse(Code.INVALID_REQUEST, "A plan file is for another training.", "plan anew without it", field)
    return file
