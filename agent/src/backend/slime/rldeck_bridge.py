"""rldeck's end of slime's hooks: takes live changes from tune.json, reports to events.jsonl.

Both files lie in $RLDECK_SHARD_DIR of the node; their form is that of core/src/shard.

    --custom-megatron-before-train-step-hook-path  rldeck_bridge.before_train_step    every rank of the trainer
    --custom-megatron-before-log-prob-hook-path    rldeck_bridge.before_log_prob      every rank of the trainer
    --custom-rollout-log-function-path             rldeck_bridge.log_rollout          the rollout manager

tune.json: {"version": 3, "set": {"lr": "1e-6"}, "from": {"rollout-temperature": 12}}. `set` is all that differs from
argv; a name that has left it goes back to its value in argv. The trainer's rank 0 reads the file and broadcasts what
changes, so that every rank changes at the same step; no other rank ever looks at it.

Acknowledgements. A `tuned` event says since which rollout and step its values hold; `by` says who speaks. Each side
answers each version it has seen, once: `trainer` for its own names and for those that nobody can change in a running
job (refused), `rollout` for its own. Names that hold since different rollouts come in events of their own.

A value that both sides must change together (rollout-temperature) goes through the controller:
  1. the controller writes it to `set`, without `from`: a `from` holds for one value and one attempt only;
  2. the rollout manager uses it from the next rollout on and acknowledges: by "rollout", rollout 12;
  3. the controller adds "from": {"rollout-temperature": 12} (the version may stay);
  4. the trainer switches before it looks at rollout 12 and acknowledges: by "trainer", rollout 12. If the relay came
     late, it switches at once and a notice names the rollouts that were trained with the old value.
The controller lets step 4 happen before it changes such a value again.

The first rollout of an attempt is sampled with the values of argv (slime calls no hook before it), so the launcher puts
live changes of the rollout side into the argv of the next attempt; the trainer takes all of `set` at its first step.

Nothing here raises into the job or waits for anything but the broadcast: what goes wrong is said once, as a notice, and
counted. A hook of the user's for the same place, named in $RLDECK_CHAIN_BEFORE_TRAIN_STEP,
$RLDECK_CHAIN_BEFORE_LOG_PROB or $RLDECK_CHAIN_LOG_ROLLOUT, is called afterwards; its exceptions and its answer are the
job's.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import json
import math
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_BYTES = 1_000_000  # of tune.json
MOST_SAMPLES = 48  # of a rollout
MOST_PER_GROUP = 8
LONGEST_PROMPT, LONGEST_RESPONSE, LONGEST_LABEL = 1_500, 6_000, 300

RESTART = "takes effect when the job is started again"
NO_REFERENCE = "no reference model is loaded; it takes use-kl-loss and a start of the job"


class Refused(ValueError):
    """Why a value cannot be taken: one line for the operator."""


# ---- the two files


def in_shard(name: str) -> str | None:
    """A file of the node's shard; None when no rldeck looks after this node."""
    folder = os.environ.get("RLDECK_SHARD_DIR")
    return os.path.join(folder, name) if folder else None


class Events:
    """Appends whole lines. What could not be written is counted, and said as soon as there is room again."""

    def __init__(self) -> None:
        self.lost = 0
        self.torn = False
        self.said: dict[str, int] = {}

    def write(self, *reports: Mapping[str, Any]) -> None:
        """All of them in one write, so that lines of several processes never mix."""
        at = int(time.time() * 1000)
        if self.lost:
            text = f"rldeck bridge: {self.lost} events could not be written; is the disk full?"
            reports = ({"kind": "notice", "severity": "warning", "text": text}, *reports)
        try:
            lines = [json.dumps({"at": at, **report}, ensure_ascii=False, allow_nan=False) for report in reports]
            data = "".join(line + "\n" for line in lines).encode("utf-8", "replace")
            self._append(b"\n" + data if self.torn else data)
            self.lost = 0
        except (OSError, TypeError, ValueError):
            self.lost += max(len(reports) - bool(self.lost), 1)

    def _append(self, data: bytes) -> None:
        path = in_shard("events.jsonl")
        if path is None:
            return
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            written = os.write(file, data)
        finally:
            os.close(file)
        self.torn = not data[:written].endswith(b"\n") if written else self.torn
        if written != len(data):
            raise OSError("short write")

    def notice(self, severity: str, text: str) -> None:
        """Said the first time, counted afterwards."""
        self.said[text] = self.said.get(text, 0) + 1
        if self.said[text] == 1 and len(self.said) <= 1000:
            self.write({"kind": "notice", "severity": severity, "text": clean(text)[:1000]})


EVENTS = Events()


@dataclass(frozen=True)
class Tune:
    """What tune.json says."""

    version: int = 0
    set: Mapping[str, str] = field(default_factory=dict)
    first: Mapping[str, int] = field(default_factory=dict)


class TuneFile:
    """tune.json as it was last found whole. A look at an unchanged file costs one stat."""

    def __init__(self) -> None:
        self.seen: tuple[int, int, int] | None = None
        self.tune: Tune | None = None

    def read(self) -> Tune | None:
        """The newest readable content; None as long as there never was any."""
        path = in_shard("tune.json")
        if path is None:
            return None
        try:
            found = os.stat(path)
            now = (found.st_ino, found.st_mtime_ns, found.st_size)
            if now == self.seen:
                return self.tune
            self.seen = now
            if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
                raise ValueError(f"not a file of at most {MOST_BYTES} bytes")
            with open(path, "rb") as file:
                self.tune = parse(file.read(MOST_BYTES + 1))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, RecursionError) as error:
            EVENTS.notice("warning", f"cannot read {path}: {error}; the changes before it stay in force")
        return self.tune


def parse(data: bytes) -> Tune:
    """Reads the content of tune.json; ValueError when it is not that."""
    read = json.loads(data)
    if not isinstance(read, dict):
        raise ValueError("not a JSON object")
    version, values, first = read.get("version"), read.get("set", {}), read.get("from") or {}
    if type(version) is not int or not isinstance(values, dict) or not isinstance(first, dict):
        raise ValueError("version, set or from is missing or of the wrong kind")
    if not all(isinstance(value, str) for value in values.values()):
        raise ValueError("a value in set is not text")
    if not all(type(rollout) is int for rollout in first.values()):
        raise ValueError("a rollout in from is not a whole number")
    return Tune(version, values, first)


def clean(text: Any) -> str:
    """Text that every reader of UTF-8 takes."""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def shown(value: Any) -> str:
    """A value as it would stand in argv."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else clean(value)


def acknowledge(
    by: str, version: int, holds: Mapping[tuple[int, int], Mapping[str, str]], refused: Mapping[str, str]
) -> None:
    """One `tuned` event for each (rollout, step) since which values hold; the refusals go with the last."""
    ordered = sorted(holds.items())
    for place, ((rollout, step), values) in enumerate(ordered):
        last = {"refused": dict(refused)} if refused and place == len(ordered) - 1 else {}
        EVENTS.write(
            {
                "kind": "tuned",
                "version": version,
                "step": step,
                "rollout": rollout,
                "set": dict(values),
                "by": by,
                **last,
            }
        )


# ---- values


def number(least: float = 0.0, most: float = math.inf, above: bool = False) -> Callable[[str], float]:
    """A finite number from `least` (or above it) to `most`."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise Refused(f"{text[:40]!r} is not a number") from None
        if not math.isfinite(value) or value < least or value > most or (above and value == least):
            upper = f" and at most {most:g}" if most < math.inf else ""
            raise Refused(f"{text[:40]} is not {'above' if above else 'at least'} {least:g}{upper}")
        return value

    return read


def whole(least: int = 1) -> Callable[[str], int]:
    """A whole number from `least` up."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise Refused(f"{text[:40]!r} is not a whole number") from None
        if not least <= value < 2**53:
            raise Refused(f"{text[:40]} is not at least {least}")
        return value

    return read


def flag(text: str) -> bool:
    """`true` or `false`."""
    if text not in ("true", "false"):
        raise Refused(f"{text[:40]!r} is neither true nor false")
    return text == "true"


def choice(*words: str) -> Callable[[str], str]:
    """One of these words."""

    def read(text: str) -> str:
        if text not in words:
            raise Refused(f"{text[:40]!r} is none of {', '.join(words)}")
        return text

    return read


def text_or_none(text: str) -> str | None:
    """Text; `false` or nothing takes the argument away."""
    return None if text in ("", "false") else text


def function_or_none(text: str) -> str | None:
    """A dotted path that leads to a function: a wrong one would end the job at its first use."""
    path = text_or_none(text)
    if path is not None:
        try:
            found = load(path)
        except Exception as error:  # the module is the user's: anything may come out of it
            raise Refused(f"{path[:100]} cannot be loaded: {error}") from None
        if not callable(found):
            raise Refused(f"{path[:100]} is not a function")
    return path


@functools.cache
def load(path: str) -> Any:
    """What a dotted path names."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


@dataclass
class Scene:
    """What a hook was called with, and the arguments as argv had them."""

    args: Any
    original: Mapping[str, Any] = field(default_factory=dict)
    # Attributes as they will be once the present changes hold.
    wanted: Mapping[str, Any] = field(default_factory=dict)
    optimizer: Any = None
    scheduler: Any = None
    samples: list[Any] = field(default_factory=list)

    def at_start(self, attribute: str, default: Any = None) -> Any:
        return self.original.get(attribute, default)

    def now(self, attribute: str, default: Any = None) -> Any:
        return self.wanted.get(attribute, self.at_start(attribute, default))


def anything(_value: Any, _scene: Scene) -> None:
    """No check beyond the reading."""


def nothing_else(_value: Any, _before: Any, _scene: Scene) -> None:
    """Whoever uses the argument reads it each time."""


@dataclass(frozen=True)
class Setting:
    """How one argument is changed in a running job."""

    read: Callable[[str], Any]
    # The attribute of slime's arguments.
    attribute: str
    # Refuses a value that does not go with the others.
    check: Callable[[Any, Scene], None] = anything
    # Changes what holds a copy of the argument: new value, value before.
    apply: Callable[[Any, Any, Scene], None] = nothing_else
    # Holds from the next rollout on, whenever it is changed.
    next_rollout: bool = False


# ---- the trainer's settings


def groups(scene: Scene) -> list[dict[str, Any]]:
    """The optimizer's parameter groups; those with a learning rate of their own (decoupled) are not ours."""
    found = getattr(scene.optimizer, "param_groups", None) or []
    return [group for group in found if not group.get("is_decoupled_lr")]


def set_lr(value: float, _: Any, scene: Scene) -> None:
    least = min(getattr(scene.args, "min_lr", None) or 0.0, value)
    if scene.scheduler is not None:
        scene.scheduler.max_lr = value
        scene.scheduler.min_lr = least
    for group in groups(scene):
        group["max_lr"], group["min_lr"] = value, least
        group["lr"] = scheduled(scene, group, value)


def set_min_lr(value: float, _: Any, scene: Scene) -> None:
    if scene.scheduler is not None:
        scene.scheduler.min_lr = min(value, scene.scheduler.max_lr)
    for group in groups(scene):
        most = group.get("max_lr", getattr(scene.args, "lr", value))
        group["min_lr"] = min(value, most)
        group["lr"] = scheduled(scene, group, group.get("lr", most))


def scheduled(scene: Scene, group: dict[str, Any], otherwise: float) -> float:
    """The rate of this very step: the scheduler has set it before the change and sets it again only after the step."""
    try:
        return float(scene.scheduler.get_lr(group))
    except Exception:  # other versions of Megatron take other arguments; the next step is right in any case
        return otherwise


def set_weight_decay(value: float, _: Any, scene: Scene) -> None:
    if scene.scheduler is not None:
        scene.scheduler.start_wd = scene.scheduler.end_wd = value
    for group in getattr(scene.optimizer, "param_groups", None) or []:
        group["weight_decay"] = value * group.get("wd_mult", 1.0)


def set_clip_grad(value: float, _: Any, scene: Scene) -> None:
    for one in (scene.optimizer, *getattr(scene.optimizer, "chained_optimizers", ())):
        if hasattr(getattr(one, "config", None), "clip_grad"):
            one.config.clip_grad = value


def set_betas(_value: float, _: Any, scene: Scene) -> None:
    for group in getattr(scene.optimizer, "param_groups", None) or []:
        if "betas" in group:
            group["betas"] = (scene.args.adam_beta1, scene.args.adam_beta2)


def set_eps(value: float, _: Any, scene: Scene) -> None:
    for group in getattr(scene.optimizer, "param_groups", None) or []:
        if "eps" in group:
            group["eps"] = value


def needs_kl_loss(_: Any, scene: Scene) -> None:
    if not scene.at_start("use_kl_loss", False):
        raise Refused(NO_REFERENCE)


def needs_reference(_: Any, scene: Scene) -> None:
    if not scene.at_start("use_kl_loss", False) and not scene.at_start("kl_coef", 0.0):
        raise Refused(NO_REFERENCE)


def one_kl(other: str, name: str) -> Callable[[Any, Scene], None]:
    def check(value: float, scene: Scene) -> None:
        (needs_kl_loss if other == "kl_coef" else needs_reference)(value, scene)
        if value and scene.now(other, 0.0):
            raise Refused(f"only one of it and {name} may be other than 0")

    return check


def check_use_kl_loss(value: bool, scene: Scene) -> None:
    if value != bool(scene.at_start("use_kl_loss", False)):
        raise Refused(NO_REFERENCE if value else RESTART)


TRAINER: dict[str, Setting] = {
    "lr": Setting(number(), "lr", apply=set_lr),
    "min-lr": Setting(number(), "min_lr", apply=set_min_lr),
    "weight-decay": Setting(number(), "weight_decay", apply=set_weight_decay),
    "clip-grad": Setting(number(), "clip_grad", apply=set_clip_grad),
    "adam-beta1": Setting(number(most=0.999999999), "adam_beta1", apply=set_betas),
    "adam-beta2": Setting(number(most=0.999999999), "adam_beta2", apply=set_betas),
    "adam-eps": Setting(number(above=True), "adam_eps", apply=set_eps),
    "eps-clip": Setting(number(), "eps_clip"),
    "eps-clip-high": Setting(number(), "eps_clip_high"),
    "eps-clip-c": Setting(number(least=1.0, above=True), "eps_clip_c"),
    "value-clip": Setting(number(), "value_clip"),
    "entropy-coef": Setting(number(least=-1000.0, most=1000.0), "entropy_coef"),
    "use-kl-loss": Setting(flag, "use_kl_loss", check=check_use_kl_loss),
    "kl-loss-coef": Setting(number(), "kl_loss_coef", check=one_kl("kl_coef", "kl-coef")),
    "kl-loss-type": Setting(choice("k1", "k2", "k3", "low_var_kl"), "kl_loss_type", check=needs_kl_loss),
    "kl-coef": Setting(number(), "kl_coef", check=one_kl("kl_loss_coef", "kl-loss-coef"), next_rollout=True),
    "gamma": Setting(number(most=1.0), "gamma", next_rollout=True),
    "lambd": Setting(number(most=1.0), "lambd", next_rollout=True),
    "ref-update-interval": Setting(whole(), "ref_update_interval", check=needs_reference),
    "tis-clip": Setting(number(), "tis_clip"),
    "tis-clip-low": Setting(number(), "tis_clip_low"),
    "opsm-delta": Setting(number(), "opsm_delta"),
    "no-save-optim": Setting(flag, "no_save_optim"),
    "no-save-rng": Setting(flag, "no_save_rng"),
    "save-hf": Setting(text_or_none, "save_hf"),
}

# Both sides must use the same value for the same rollout.
PAIRED: dict[str, Setting] = {"rollout-temperature": Setting(number(above=True), "rollout_temperature")}


# ---- the rollout manager's settings


def generate_state() -> Any:
    """slime's state of generation, if it exists yet: making it would load the tokenizer."""
    kind = getattr(sys.modules.get("slime.rollout.sglang_rollout"), "GenerateState", None)
    return getattr(type(kind), "_instances", {}).get(kind)


def sampling(key: str) -> Callable[[Any, Any, Scene], None]:
    def apply(value: Any, before: Any, scene: Scene) -> None:
        state = generate_state()
        if state is not None:
            state.sampling_params[key] = value

    return apply


def check_response_len(value: int, scene: Scene) -> None:
    falls = value < (getattr(scene.args, "rollout_max_response_len", None) or 0)
    if falls and getattr(scene.args, "partial_rollout", False):
        raise Refused("cannot fall with partial-rollout: an unfinished response may already be longer")
    context = getattr(scene.args, "rollout_max_context_len", None)
    if context is not None and value > context:
        raise Refused(f"longer than rollout-max-context-len, {context}")


def check_over_sampling(value: int, scene: Scene) -> None:
    if value < scene.args.rollout_batch_size:
        raise Refused(f"less than rollout-batch-size, {scene.args.rollout_batch_size}")


def check_max_tokens(_: int, scene: Scene) -> None:
    if not getattr(scene.args, "use_dynamic_batch_size", False):
        raise Refused("means nothing without use-dynamic-batch-size, which takes effect when the job is started again")


def check_concurrency(value: int, scene: Scene) -> None:
    most = scene.at_start("sglang_server_concurrency", value)
    if value > most:
        raise Refused(f"more than the job was started with, {most}: the connections were made then")


def set_concurrency(value: int, before: int, _: Scene) -> None:
    """The semaphore counts over all engines; between rollouts nobody holds it, so its value is its size."""
    state = generate_state()
    if state is not None and before:
        state.semaphore = asyncio.Semaphore(max(state.semaphore._value * value // before, 1))


def check_rm_type(value: str | None, scene: Scene) -> None:
    known = ("remote_rm", "deepscaler", "dapo", "math", "f1", "gpqa", "ifbench", "random")
    if value is not None and value.removeprefix("boxed_") not in known:
        raise Refused(f"{value[:40]!r} is no rule that slime is known to have; {RESTART}")
    if value is not None and value.endswith("remote_rm") and not scene.now("rm_url"):
        raise Refused("needs rm-url")


def check_reward_key(value: str | None, scene: Scene) -> None:
    for sample in scene.samples[:1]:
        if value is not None and not (isinstance(sample.reward, Mapping) and value in sample.reward):
            raise Refused(f"the rewards of this job have no field {value[:40]!r}")
        if value is None and isinstance(sample.reward, Mapping):
            raise Refused("the rewards of this job have several fields: one must be named")


def check_global_batch(value: int, scene: Scene) -> None:
    args = scene.args
    samples = args.rollout_batch_size * args.n_samples_per_prompt
    if value > samples:
        raise Refused(f"more than a rollout has, {samples}")
    parts = [getattr(args, f"{kind}_parallel_size", 1) or 1 for kind in ("tensor_model", "pipeline_model", "context")]
    world = (getattr(args, "actor_num_nodes", 1) or 1) * (getattr(args, "actor_num_gpus_per_node", 1) or 1)
    ranks = max(world // math.prod(parts), 1)
    if value % ranks:
        raise Refused(f"not a multiple of the {ranks} data-parallel ranks")


def evaluation(attribute: str, common: str) -> Callable[[Any, Any, Scene], None]:
    """Changes the data sets that had the common value, rollouts' when none was given; others have one of their own."""

    def apply(value: Any, before: Any, scene: Scene) -> None:
        given, put = (scene.at_start(common) if one is None else one for one in (before, value))
        for dataset in getattr(scene.args, "eval_datasets", None) or []:
            if getattr(dataset, attribute, None) == given:
                setattr(dataset, attribute, put)

    return apply


ROLLOUT: dict[str, Setting] = {
    "rollout-max-response-len": Setting(
        whole(), "rollout_max_response_len", check=check_response_len, apply=sampling("max_new_tokens")
    ),
    "over-sampling-batch-size": Setting(whole(), "over_sampling_batch_size", check=check_over_sampling),
    "dynamic-sampling-filter-path": Setting(function_or_none, "dynamic_sampling_filter_path"),
    "partial-rollout": Setting(flag, "partial_rollout"),
    "max-tokens-per-gpu": Setting(whole(), "max_tokens_per_gpu", check=check_max_tokens),
    "balance-data": Setting(flag, "balance_data"),
    "global-batch-size": Setting(whole(), "global_batch_size", check=check_global_batch),
    "sglang-server-concurrency": Setting(
        whole(), "sglang_server_concurrency", check=check_concurrency, apply=set_concurrency
    ),
    "rm-type": Setting(text_or_none, "rm_type", check=check_rm_type),
    "custom-rm-path": Setting(function_or_none, "custom_rm_path"),
    "rm-url": Setting(text_or_none, "rm_url"),
    "reward-key": Setting(text_or_none, "reward_key", check=check_reward_key),
    "rollout-temperature": Setting(number(above=True), "rollout_temperature", apply=sampling("temperature")),
    "eval-temperature": Setting(number(), "eval_temperature", apply=evaluation("temperature", "rollout_temperature")),
    "eval-top-p": Setting(number(most=1.0, above=True), "eval_top_p", apply=evaluation("top_p", "rollout_top_p")),
    "eval-top-k": Setting(whole(least=-1), "eval_top_k", apply=evaluation("top_k", "rollout_top_k")),
    "eval-max-response-len": Setting(
        whole(), "eval_max_response_len", apply=evaluation("max_response_len", "rollout_max_response_len")
    ),
    "n-samples-per-eval-prompt": Setting(
        whole(),
        "n_samples_per_eval_prompt",
        apply=evaluation("n_samples_per_eval_prompt", "n_samples_per_eval_prompt"),
    ),
}


# ---- the two sides


class Side:
    """What one process has taken of tune.json, and what it has answered."""

    def __init__(self, by: str, own: Mapping[str, Setting], others: Iterable[str]) -> None:
        self.by, self.own, self.others = by, own, frozenset(others)
        self.file = TuneFile()
        self.original: dict[str, Any] | None = None
        self.tune: Tune | None = None
        self.wanted: dict[str, Any] = {}
        self.refused: dict[str, str] = {}
        self.in_force: dict[str, Any] = {}
        self.since: dict[str, tuple[int, int]] = {}
        self.answered: int | None = None

    def look(self, scene: Scene) -> Tune | None:
        """Reads the file and, when it is new, what is wanted and what is refused."""
        if self.original is None:
            self.original = dict(vars(scene.args))
        scene.original = self.original
        tune = self.file.read()
        if tune is not None and tune is not self.tune:
            self._plan(tune, scene)
        return tune

    def _plan(self, tune: Tune, scene: Scene) -> None:
        wanted, refused = {}, {}
        for name, text in tune.set.items():
            if name in self.own:
                try:
                    wanted[name] = self.own[name].read(text)
                except Refused as reason:
                    refused[name] = clean(reason)
            elif self.by == "trainer" and name not in self.others:
                refused[name] = RESTART
        # slime makes the upper bound equal to the lower one when it is not given: then it follows.
        follows = scene.at_start("eps_clip") == scene.at_start("eps_clip_high") and "eps-clip-high" not in tune.set
        if "eps-clip" in wanted and follows:
            wanted["eps-clip-high"] = wanted["eps-clip"]
        scene.wanted = {self.own[name].attribute: value for name, value in wanted.items()}
        for name in list(wanted):
            try:
                self.own[name].check(wanted[name], scene)
            except Refused as reason:
                refused[name] = clean(reason)
                del wanted[name]
        for name in self.in_force:
            # Gone from `set`: as argv had it. Refused: as it is.
            if name not in wanted and name not in refused:
                wanted[name] = scene.at_start(self.own[name].attribute)
        # In the order of the table: some build on others.
        self.wanted = {name: wanted[name] for name in self.own if name in wanted}
        self.refused, self.tune = refused, tune

    def changed(self, name: str) -> bool:
        """It is wanted, and not in force as far as this side has put it there."""
        return name in self.wanted and (name not in self.in_force or self.in_force[name] != self.wanted[name])

    def put(self, name: str, value: Any, since: tuple[int, int]) -> None:
        self.in_force[name], self.since[name] = value, since

    def answer(self, here: tuple[int, int], names: Iterable[str] | None = None) -> None:
        """Acknowledges the version once, and afterwards the names that have followed."""
        tune = self.tune
        if tune is None or (names is None and self.answered == tune.version):
            return
        holds: dict[tuple[int, int], dict[str, str]] = {}
        for name in self.wanted if names is None else names:
            if self.changed(name) or not (name in tune.set or name in PAIRED):
                continue
            holds.setdefault(self.since[name], {})[name] = clean(tune.set.get(name, shown(self.wanted[name])))
        acknowledge(self.by, tune.version, holds or {here: {}}, {} if names else self.refused)
        if names is None:
            self.answered = tune.version


def assign(changes: Mapping[str, Any], own: Mapping[str, Setting], scene: Scene) -> None:
    """Puts values where slime reads them. One that fails does not keep the others."""
    for name, value in changes.items():
        setting = own[name]
        before = getattr(scene.args, setting.attribute, None)
        try:
            setattr(scene.args, setting.attribute, value)
            setting.apply(value, before, scene)
        except Exception as error:
            EVENTS.notice("error", f"rldeck bridge: {name} is only partly changed: {type(error).__name__}: {error}")


def steps_per_rollout(args: Any) -> int:
    """Optimizer steps of a rollout, as slime reckons them from its arguments."""
    if getattr(args, "num_steps_per_rollout", None):
        return int(args.num_steps_per_rollout)
    samples = (getattr(args, "rollout_batch_size", None) or 1) * (getattr(args, "n_samples_per_prompt", None) or 1)
    return max(samples // (getattr(args, "global_batch_size", None) or samples), 1)


class Trainer(Side):
    """One rank of the trainer. Only rank 0 reads, decides and answers; all ranks assign what was broadcast."""

    def __init__(self) -> None:
        super().__init__("trainer", {**TRAINER, **PAIRED}, ROLLOUT.keys() - PAIRED.keys())
        # Where training is: rollout and step within it; None before the first step of this process.
        self.at: tuple[int, int] | None = None
        self.started_with = 0
        self.steps: int | None = None
        # The rollout for which the paired values are settled.
        self.settled: int | None = None

    def before_train_step(self, scene: Scene, rollout: int, step: int) -> None:
        if self.at is None:
            self.started_with = rollout
        elif self.at[0] != rollout:
            self.steps = self.at[1] + 1
        self.at = (rollout, step)
        # Before the first look at a rollout, which is here only when slime needs no log-probabilities for it.
        paired, self.settled = self.settled != rollout, rollout
        self._exchange(scene, rollout, step, live=True, paired=paired)

    def before_log_prob(self, scene: Scene) -> None:
        # Before the first step all is as argv said, and so was the rollout generated. Called for every model of a
        # rollout (reference, policy): all of them see the same value.
        if self.at is None or self.settled == self.at[0] + 1:
            return
        self.settled = self.at[0] + 1
        self._exchange(scene, self.settled, 0, live=False, paired=True)

    def _exchange(self, scene: Scene, rollout: int, step: int, live: bool, paired: bool) -> None:
        rank, group = world()
        changes: dict[str, Any] = {}
        if rank == 0:
            # Whatever happens here, the others wait for the broadcast.
            try:
                if self.look(scene) is not None:
                    changes = self._changes(scene, rollout, live, paired)
            except Exception as error:
                trouble("reading the changes", error)
        changes = share(changes, group)
        assign(changes, self.own, scene)
        if rank == 0:
            self._answer(scene, changes, rollout, step, live)

    def _changes(self, scene: Scene, rollout: int, live: bool, paired: bool) -> dict[str, Any]:
        names = [name for name in self.wanted if live and name not in PAIRED and self.changed(name)]
        names += [name for name in PAIRED if paired and self._due(scene, name, rollout)]
        return {name: self.wanted[name] for name in self.wanted if name in names}

    def _due(self, scene: Scene, name: str, rollout: int) -> bool:
        if not self.changed(name):
            return False
        if name not in self.in_force and self.wanted[name] == scene.at_start(self.own[name].attribute):
            return True
        first = self.tune.first.get(name) if self.tune else None
        # Not said yet, not yet reached, or left over from a value or an attempt before.
        before = self.since[name][0] if name in self.since else self.started_with
        return first is not None and before < first <= rollout

    def _answer(self, scene: Scene, changes: Mapping[str, Any], rollout: int, step: int, live: bool) -> None:
        steps = self.steps or steps_per_rollout(scene.args)
        here = (rollout, rollout * steps + step)
        for name, value in changes.items():
            before = self.in_force.get(name, scene.at_start(self.own[name].attribute))
            later = self.own[name].next_rollout
            self.put(name, value, (rollout + 1, (rollout + 1) * steps) if later else here)
            first = self.tune.first.get(name, rollout) if self.tune and name in PAIRED else rollout
            if first < rollout and value != before:
                missed = f"rollouts {first} to {rollout - 1} were trained with the old value"
                EVENTS.notice("warning", f"{name} came late to the trainer: {missed}")
        followed = [name for name in changes if name in PAIRED]
        if live and self.tune is not None and self.answered != self.tune.version:
            self.answer(here)
        elif followed:
            self.answer(here, followed)


class Manager(Side):
    """The rollout manager: one process, between two rollouts."""

    def __init__(self) -> None:
        super().__init__("rollout", ROLLOUT, TRAINER)

    def between(self, scene: Scene, rollout: int) -> None:
        """After `rollout`: what changes now holds from the next one on."""
        if self.look(scene) is None:
            return
        changes = {name: self.wanted[name] for name in self.wanted if self.changed(name)}
        steps = steps_per_rollout(scene.args)
        for name, value in changes.items():
            same = name not in self.in_force and value == scene.at_start(self.own[name].attribute)
            self.put(name, value, (rollout, rollout * steps) if same else (rollout + 1, (rollout + 1) * steps))
        assign(changes, self.own, scene)
        self.answer((rollout + 1, (rollout + 1) * steps))


def world() -> tuple[int, Any]:
    """This rank, and slime's gloo group when there are others."""
    torch = sys.modules.get("torch")
    if torch is None:
        return 0, None
    distributed = importlib.import_module("torch.distributed")
    if not distributed.is_available() or not distributed.is_initialized() or distributed.get_world_size() == 1:
        return 0, None
    return distributed.get_rank(), importlib.import_module("slime.utils.distributed_utils").get_gloo_group()


def share(changes: dict[str, Any], group: Any) -> dict[str, Any]:
    """What rank 0 has, on every rank."""
    if group is None:
        return changes
    box = [changes]
    importlib.import_module("torch.distributed").broadcast_object_list(box, src=0, group=group)
    return box[0]


# ---- what a rollout was like


def finite(value: Any) -> float | None:
    """A number that JSON can hold."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return None
    try:
        value = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def reward(sample: Any, args: Any) -> float | None:
    value, key = getattr(sample, "reward", None), getattr(args, "reward_key", None)
    return finite(value.get(key) if key and isinstance(value, Mapping) else value)


def truncated(sample: Any) -> bool:
    return getattr(getattr(sample, "status", None), "value", None) == "truncated"


def cut(text: Any, longest: int) -> str:
    """Beginning and end of a text; a conversation is written turn by turn."""
    if isinstance(text, list):
        turns = (turn if isinstance(turn, Mapping) else {"content": turn} for turn in text)
        text = "\n".join(f"{turn.get('role', '')}: {turn.get('content', '')}" for turn in turns)
    text = clean("" if text is None else text)
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def flat(samples: Iterable[Any]) -> list[Any]:
    return [one for item in samples for one in (flat(item) if isinstance(item, (list, tuple)) else [item])]


def by_group(samples: list[Any], size: int) -> list[list[Any]]:
    """Samples of the same prompt together, in the order in which the prompts came."""
    found: dict[Any, list[Any]] = {}
    for place, sample in enumerate(samples):
        index = getattr(sample, "group_index", None)
        found.setdefault(place // max(size, 1) if index is None else index, []).append(sample)
    return list(found.values())


def spread(items: list[Any], most: int) -> list[tuple[int, Any]]:
    """At most so many, evenly from all, with their places."""
    count = min(len(items), most)
    return [(place * len(items) // count, items[place * len(items) // count]) for place in range(count)]


def sample_reports(rollout: int, args: Any, groups: list[list[Any]]) -> list[dict[str, Any]]:
    per_group = min(max(map(len, groups), default=1), MOST_PER_GROUP)
    reports = []
    for place, group in spread(groups, MOST_SAMPLES // per_group):
        for _, sample in spread(group, per_group):
            given = reward(sample, args)
            if given is not None:
                report = {
                    "kind": "sample",
                    "rollout": rollout,
                    "group": place,
                    "prompt": cut(getattr(sample, "prompt", ""), LONGEST_PROMPT),
                    "response": cut(getattr(sample, "response", ""), LONGEST_RESPONSE),
                    "label": cut(getattr(sample, "label", ""), LONGEST_LABEL),
                    "reward": given,
                    "tokens": int(getattr(sample, "response_length", 0) or 0),
                    "truncated": truncated(sample),
                }
                reports.append(report)
    return reports


def rollout_reports(rollout: int, args: Any, samples: Any, extra: Any, seconds: Any) -> list[dict[str, Any]]:
    """Metrics under slime's names, the funnel of dynamic sampling, and some samples."""
    samples = flat(samples or [])
    groups = by_group(samples, getattr(args, "n_samples_per_prompt", 1) or 1)
    extra = extra if isinstance(extra, Mapping) else {}
    values = {str(name): finite(value) for name, value in extra.items() if hasattr(value, "__float__")}
    lengths = sorted(int(getattr(sample, "response_length", 0) or 0) for sample in samples)
    rewards = [one for one in (reward(sample, args) for sample in samples) if one is not None]
    if samples:
        values["rollout/response_len/mean"] = sum(lengths) / len(lengths)
        values["rollout/response_len/max"] = float(lengths[-1])
        values["rollout/truncated_ratio"] = sum(map(truncated, samples)) / len(samples)
    if rewards:
        values["rollout/raw_reward"] = sum(rewards) / len(rewards)
    if finite(seconds) is not None:
        values["perf/rollout_time"] = finite(seconds)
    prefix = "rollout/dynamic_filter/drop_"
    dropped = {name.removeprefix(prefix): int(value or 0) for name, value in values.items() if name.startswith(prefix)}
    sampled = len(groups) + sum(dropped.values())
    return [
        {"kind": "metrics", "rollout": rollout, "values": values},
        {"kind": "funnel", "rollout": rollout, "sampled": sampled, "dropped": dropped, "kept": len(groups)},
        *sample_reports(rollout, args, groups),
    ]


# ---- the hooks

TRAINING = Trainer()
SAMPLING = Manager()


def trouble(doing: str, error: Exception) -> None:
    """An error of the bridge itself: the job must not notice, the operator must."""
    EVENTS.notice("warning", f"rldeck bridge: {doing}: {type(error).__name__}: {error}")


def guarded(doing: str, body: Callable[[], None]) -> None:
    try:
        body()
    except Exception as error:
        with contextlib.suppress(Exception):
            trouble(doing, error)


def chained(place: str, *arguments: Any) -> Any:
    """The user's hook for the same place; its errors are the user's."""
    path = os.environ.get(f"RLDECK_CHAIN_{place}")
    return load(path)(*arguments) if path else None


def before_train_step(
    args: Any, rollout_id: int, step_id: int, model: Any, optimizer: Any, opt_param_scheduler: Any
) -> Any:
    """Every rank, before each optimizer step."""
    scene = Scene(args, optimizer=optimizer, scheduler=opt_param_scheduler)
    guarded("before a step", lambda: TRAINING.before_train_step(scene, int(rollout_id), int(step_id)))
    return chained("BEFORE_TRAIN_STEP", args, rollout_id, step_id, model, optimizer, opt_param_scheduler)


def before_log_prob(args: Any, model: Any, store_prefix: str) -> Any:
    """Every rank, before each pass that computes log-probabilities."""
    guarded("before log-probabilities", lambda: TRAINING.before_log_prob(Scene(args)))
    return chained("BEFORE_LOG_PROB", args, model, store_prefix)


def log_rollout(rollout_id: int, args: Any, samples: Any, rollout_extra_metrics: Any, rollout_time: Any) -> Any:
    """The rollout manager, after each rollout. False: slime writes its own line too."""
    rollout = int(rollout_id)
    scene = Scene(args, samples=flat(samples or []))
    guarded("changes between rollouts", lambda: SAMPLING.between(scene, rollout))
    guarded(
        "reporting a rollout",
        lambda: EVENTS.write(*rollout_reports(rollout, args, samples, rollout_extra_metrics, rollout_time)),
    )
    if "RLDECK_CHAIN_LOG_ROLLOUT" in os.environ:
        return chained("LOG_ROLLOUT", rollout_id, args, samples, rollout_extra_metrics, rollout_time)
    return False
