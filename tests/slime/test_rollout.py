"""The rollout manager's side: what the next rollout is sampled with, and what is reported of the last one."""

from __future__ import annotations

import os
import sys
import types
import unittest
from types import SimpleNamespace
from unittest import mock

from slime.rollout.sglang_rollout import GenerateState
from slime.utils.misc import SingletonMeta
from slime.utils.types import Sample, Status
from support import BridgeTest

FILTER = "filters_of_ours.keep"


def samples(groups: int, size: int = 4, text: str = "so") -> list[Sample]:
    return [
        Sample(
            group_index=100 + group,
            prompt=[{"role": "user", "content": f"{group} + 1"}],
            response=text,
            response_length=10 * (place + 1),
            label=str(group + 1),
            reward=float(place % 2),
            status=Status.TRUNCATED if place == 3 else Status.COMPLETED,
        )
        for group in range(groups)
        for place in range(size)
    ]


class Changes(BridgeTest):
    def setUp(self) -> None:
        super().setUp()
        SingletonMeta._instances.clear()

    def test_the_next_rollout_is_sampled_with_the_new_values(self) -> None:
        state = GenerateState(self.args)
        changes = {
            "rollout-temperature": "0.7",
            "rollout-max-response-len": "2048",
            "over-sampling-batch-size": "4",
            "max-tokens-per-gpu": "8192",
            "balance-data": "true",
            "partial-rollout": "true",
            "sglang-server-concurrency": "16",
            "global-batch-size": "16",
        }
        self.tune(2, changes)
        self.assertIs(self.rollout(11), False)
        self.assertEqual(state.sampling_params, {"temperature": 0.7, "max_new_tokens": 2048})
        self.assertEqual((state.semaphore._value, self.args.sglang_server_concurrency), (32, 16))
        self.assertEqual((self.args.rollout_temperature, self.args.over_sampling_batch_size), (0.7, 4))
        self.assertEqual((self.args.balance_data, self.args.partial_rollout), (True, True))
        (said,) = self.tuned()
        self.assertEqual((said["by"], said["version"], said["rollout"], said["step"]), ("rollout", 2, 12, 24))
        self.assertEqual(said["set"], changes)

    def test_a_value_keeps_the_rollout_since_which_it_holds(self) -> None:
        self.tune(2, {"rollout-temperature": "0.7"})
        self.rollout(11)
        self.tune(3, {"rollout-temperature": "0.7", "balance-data": "true", "lr": "0"})
        self.rollout(14)
        said = [(event["version"], event["rollout"], event["set"]) for event in self.tuned()]
        self.assertEqual(said[1:], [(3, 12, {"rollout-temperature": "0.7"}), (3, 15, {"balance-data": "true"})])
        self.tune(4, {"lr": "0"})
        self.rollout(15)
        self.assertEqual((self.args.rollout_temperature, self.args.balance_data), (1.0, False))
        self.assertEqual(self.tuned()[-1]["set"], {"rollout-temperature": "1.0"}, "the relay goes back too")
        self.assertEqual(self.tuned()[-1]["rollout"], 16)

    def test_what_argv_already_said_holds_since_the_rollout_just_made(self) -> None:
        self.tune(2, {"rollout-temperature": "1"})
        self.rollout(11)
        self.assertEqual(self.tuned()[0]["rollout"], 11)

    def test_without_a_state_of_generation_the_arguments_are_enough(self) -> None:
        with mock.patch.dict(sys.modules):
            sys.modules.pop("slime.rollout.sglang_rollout")
            self.tune(1, {"rollout-max-response-len": "99"})
            self.rollout(0)
        self.assertEqual(self.args.rollout_max_response_len, 99)
        self.assertEqual(SingletonMeta._instances, {})

    def test_refusals(self) -> None:
        self.args.partial_rollout, self.args.rollout_max_context_len = True, 4096
        cases = {
            "over-sampling-batch-size": ("3", "less than rollout-batch-size, 4"),
            "rollout-max-response-len": ("512", "partial-rollout"),
            "sglang-server-concurrency": ("65", "started with, 64"),
            "dynamic-sampling-filter-path": ("no.such.module", "cannot be loaded"),
            "rollout-temperature": ("0", "above 0"),
            "rm-type": ("mine", "no rule"),
            "reward-key": ("score", "no field"),
            "global-batch-size": ("17", "more than a rollout has, 16"),
            "balance-data": ("1", "neither true nor false"),
        }
        self.tune(1, {name: value for name, (value, _) in cases.items()})
        before = dict(vars(self.args))
        self.rollout(0, samples(1))
        for name, (_, reason) in cases.items():
            self.assertIn(reason, self.refused()[name], name)
        self.assertEqual(vars(self.args), before)
        self.tune(2, {"rollout-max-response-len": "5000", "rm-type": "remote_rm"})
        self.rollout(1)
        self.assertIn("rollout-max-context-len", self.refused()["rollout-max-response-len"])
        self.assertIn("rm-url", self.refused()["rm-type"])

    def test_a_filter_that_loads_is_taken_and_taken_away(self) -> None:
        module = types.ModuleType("filters_of_ours")
        module.keep = lambda *_: True  # type: ignore[attr-defined]
        with mock.patch.dict(sys.modules, {"filters_of_ours": module}):
            self.tune(1, {"dynamic-sampling-filter-path": FILTER})
            self.rollout(0)
            self.assertEqual(self.args.dynamic_sampling_filter_path, FILTER)
            self.tune(2, {"dynamic-sampling-filter-path": "false"})
            self.rollout(1)
            self.assertIsNone(self.args.dynamic_sampling_filter_path)

    def test_evaluations_keep_what_is_their_own(self) -> None:
        self.args.eval_datasets = [SimpleNamespace(temperature=1.0), SimpleNamespace(temperature=0.2)]
        self.tune(1, {"eval-temperature": "0.6"})
        self.rollout(0)
        self.assertEqual([one.temperature for one in self.args.eval_datasets], [0.6, 0.2])
        self.tune(2, {})
        self.rollout(1)
        self.assertEqual([one.temperature for one in self.args.eval_datasets], [1.0, 0.2])

    def test_the_answer_of_a_user_s_function_is_the_answer(self) -> None:
        module = types.ModuleType("theirs")
        module.log = lambda rollout, *_: rollout == 3  # type: ignore[attr-defined]
        os.environ["RLDECK_CHAIN_LOG_ROLLOUT"] = "theirs.log"
        with mock.patch.dict(sys.modules, {"theirs": module}):
            self.assertEqual([self.rollout(2), self.rollout(3)], [False, True])


class Reports(BridgeTest):
    def test_metrics_and_funnel(self) -> None:
        extra = {"rollout/dynamic_filter/drop_zero_std_1.0": 3, "rollout/x": float("nan"), "rollout/name": "text"}
        self.rollout(5, samples(4), extra)
        (metrics,) = self.events("metrics")
        self.assertEqual(metrics["values"]["rollout/raw_reward"], 0.5)
        self.assertEqual(metrics["values"]["rollout/response_len/mean"], 25.0)
        self.assertEqual(metrics["values"]["rollout/truncated_ratio"], 0.25)
        self.assertEqual((metrics["values"]["perf/rollout_time"], metrics["values"]["rollout/x"]), (1.5, None))
        self.assertNotIn("rollout/name", metrics["values"])
        (funnel,) = self.events("funnel")
        self.assertEqual((funnel["sampled"], funnel["dropped"], funnel["kept"]), (7, {"zero_std_1.0": 3}, 4))

    def test_samples_are_bounded_and_texts_are_cut(self) -> None:
        self.rollout(5, samples(256, 8, "a\ud800\u0000" + "b" * 100_000 + "end"))
        written = self.events("sample")
        self.assertEqual(len(written), self.bridge.MOST_SAMPLES)
        self.assertGreater(len({sample["group"] for sample in written}), 5)
        for sample in written:
            self.assertLess(len(sample["response"]), 6_100)
            self.assertTrue(sample["response"].endswith("end") and "characters left out" in sample["response"])
        self.assertEqual(written[0]["prompt"], "user: 0 + 1")
        self.assertLess((self.folder / "events.jsonl").stat().st_size, 600_000)

    def test_odd_samples_do_not_raise(self) -> None:
        nested = [samples(1), [samples(1)]]
        self.rollout(0, nested)
        self.assertEqual(self.events("funnel")[0]["kept"], 1, "the same prompt")
        odd = [None, object(), SimpleNamespace(reward="x", response=None), SimpleNamespace(reward={"a": 1})]
        for given in (odd, None, [[]], [SimpleNamespace(reward=float("inf"), group_index=[1])]):
            self.assertIs(self.rollout(1, given), False)

    def test_a_named_reward_is_read(self) -> None:
        self.args.reward_key = "score"
        self.rollout(0, [SimpleNamespace(reward={"score": 0.75}, response="r")])
        self.assertEqual(self.events("sample")[0]["reward"], 0.75)


if __name__ == "__main__":
    unittest.main()
