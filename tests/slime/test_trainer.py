"""The trainer's side: what changes, from which step on, and what is refused."""

from __future__ import annotations

import os
import sys
import time
import types
import unittest
from types import SimpleNamespace
from unittest import mock

from support import BridgeTest, Scheduler, arguments, optimizer


class Trainer(BridgeTest):
    def test_the_optimizer_and_the_scheduler_follow(self) -> None:
        self.step(7)
        changes = {"lr": "2e-6", "weight-decay": "0.3", "clip-grad": "0.5", "adam-beta2": "0.95", "adam-eps": "1e-7"}
        self.tune(1, changes)
        self.step(7, 1)
        dense, experts = self.optimizer.param_groups
        for group in (dense, experts):
            self.assertEqual((group["lr"], group["max_lr"], group["min_lr"]), (2e-6, 2e-6, 0.0))
        self.assertEqual((dense["weight_decay"], experts["weight_decay"]), (0.3, 0.0))
        self.assertEqual((dense["betas"], dense["eps"]), ((0.9, 0.95), 1e-7))
        self.assertEqual([one.config.clip_grad for one in self.optimizer.chained_optimizers], [0.5, 0.5])
        self.assertEqual((self.scheduler.max_lr, self.scheduler.start_wd, self.scheduler.end_wd), (2e-6, 0.3, 0.3))
        (said,) = self.tuned()
        self.assertEqual((said["version"], said["rollout"], said["step"], said["set"]), (1, 7, 15, changes))

    def test_a_rate_of_nothing_is_a_rate_and_the_least_rate_comes_back(self) -> None:
        self.args.min_lr = 1e-7
        self.tune(1, {"lr": "0"})
        self.step(0)
        self.assertEqual([group["min_lr"] for group in self.optimizer.param_groups], [0.0, 0.0])
        self.tune(2, {"lr": "1e-6"})
        self.step(0, 1)
        self.assertEqual([group["min_lr"] for group in self.optimizer.param_groups], [1e-7, 1e-7])

    def test_what_has_left_the_file_is_as_argv_had_it(self) -> None:
        self.tune(1, {"lr": "0", "entropy-coef": "0.01"})
        self.step(0)
        self.assertEqual((self.args.lr, self.args.entropy_coef), (0.0, 0.01))
        self.tune(2, {"entropy-coef": "0.01"})
        self.step(0, 1)
        self.assertEqual(
            (self.args.lr, self.optimizer.param_groups[0]["lr"], self.args.entropy_coef), (1e-6, 1e-6, 0.01)
        )
        said = self.tuned()[-1]
        self.assertEqual((said["version"], said["step"], said["set"]), (2, 0, {"entropy-coef": "0.01"}))

    def test_all_overrides_hold_again_at_the_first_step_after_a_restart(self) -> None:
        self.tune(5, {"lr": "3e-6", "eps-clip": "0.1"})
        self.step(0)
        self.restart()
        self.args, self.optimizer, self.scheduler = arguments(), optimizer(), Scheduler()
        self.step(40)
        self.assertEqual((self.args.eps_clip, self.optimizer.param_groups[0]["max_lr"]), (0.1, 3e-6))
        self.assertEqual((self.tuned()[-1]["version"], self.tuned()[-1]["step"]), (5, 80))

    def test_the_upper_bound_follows_only_when_it_was_not_given(self) -> None:
        self.tune(1, {"eps-clip": "0.1"})
        self.step(0)
        self.assertEqual((self.args.eps_clip, self.args.eps_clip_high), (0.1, 0.28))
        self.restart()
        self.args.eps_clip = self.args.eps_clip_high = 0.2
        self.step(0)
        self.assertEqual((self.args.eps_clip, self.args.eps_clip_high), (0.1, 0.1))
        self.assertEqual(self.tuned()[-1]["set"], {"eps-clip": "0.1"})

    def test_refusals_give_a_reason_and_keep_nothing_else_back(self) -> None:
        self.tune(
            1,
            {
                "lr": "1e-5",
                "clip-grad": "much",
                "adam-beta1": "1",
                "weight-decay": "nan",
                "kl-loss-coef": "0.01",
                "kl-coef": "0.01",
                "use-kl-loss": "true",
                "ref-update-interval": "4",
                "tensor-model-parallel-size": "4",
                "balance-data": "true",
            },
        )
        self.step(3)
        refused = self.refused()
        self.assertEqual(self.args.lr, 1e-5)
        self.assertIn("not a number", refused["clip-grad"])
        self.assertIn("at most", refused["adam-beta1"])
        for name in ("kl-loss-coef", "kl-coef", "use-kl-loss", "ref-update-interval"):
            self.assertIn("no reference model", refused[name])
        self.assertIn("started again", refused["tensor-model-parallel-size"])
        self.assertNotIn("balance-data", refused)
        self.assertEqual((self.args.kl_loss_coef, self.args.clip_grad), (0.0, 1.0))
        self.assertEqual(self.tuned()[0]["set"], {"lr": "1e-5"})

    def test_with_a_reference_model_the_distance_can_be_weighed(self) -> None:
        self.args.use_kl_loss = True
        self.tune(1, {"kl-loss-coef": "0.001", "kl-loss-type": "k3", "use-kl-loss": "true"})
        self.step(0)
        self.assertEqual((self.args.kl_loss_coef, self.args.kl_loss_type, self.refused()), (0.001, "k3", {}))

    def test_what_is_used_between_rollouts_is_acknowledged_for_the_next(self) -> None:
        self.tune(1, {"gamma": "0.9", "entropy-coef": "0.1"})
        self.step(4, 1)
        said = {name: (event["rollout"], event["step"]) for event in self.tuned() for name in event["set"]}
        self.assertEqual(said, {"entropy-coef": (4, 9), "gamma": (5, 10)})

    def test_a_version_is_answered_once_and_an_unchanged_file_costs_a_stat(self) -> None:
        self.tune(1, {"lr": "1e-5"})
        with mock.patch("builtins.open", wraps=open) as opened:
            for step in range(20):
                self.step(step // 2, step % 2)
            self.assertEqual(sum("tune.json" in str(call.args[0]) for call in opened.call_args_list), 1)
        self.assertEqual(len(self.tuned()), 1)
        begun = time.perf_counter()
        for step in range(1000):
            self.step(10 + step // 2, step % 2)
        self.assertLess((time.perf_counter() - begun) / 1000, 0.001)

    def test_steps_are_counted_as_the_job_takes_them(self) -> None:
        self.args.num_steps_per_rollout = None
        for step in range(3):
            self.step(0, step)
        self.tune(1, {"lr": "0"})
        self.step(1, 1)
        self.assertEqual(self.tuned()[0]["step"], 4)

    def test_a_user_s_hook_is_called_and_its_errors_are_the_job_s(self) -> None:
        calls = []
        module = types.ModuleType("theirs")
        module.hook = lambda *arguments: calls.append(arguments)  # type: ignore[attr-defined]

        def fails(*_: object) -> None:
            raise KeyError("theirs")

        module.fails = fails  # type: ignore[attr-defined]
        with mock.patch.dict(sys.modules, {"theirs": module}):
            os.environ["RLDECK_CHAIN_BEFORE_TRAIN_STEP"] = "theirs.hook"
            os.environ["RLDECK_CHAIN_BEFORE_LOG_PROB"] = "theirs.fails"
            self.step(2)
            self.assertEqual(calls[0][1:3], (2, 0))
            with self.assertRaises(KeyError):
                self.bridge.before_log_prob(self.args, [], "")


class Paired(BridgeTest):
    """rollout-temperature: both sides, the same rollout."""

    def log_prob(self) -> None:
        self.bridge.before_log_prob(self.args, [], "ref_")
        seen = self.args.rollout_temperature
        self.bridge.before_log_prob(self.args, [], "")
        self.assertEqual(self.args.rollout_temperature, seen, "one rollout, one temperature")

    def train(self, rollout: int) -> float:
        self.log_prob()
        seen = self.args.rollout_temperature
        for step in range(2):
            self.step(rollout, step)
            self.assertEqual(self.args.rollout_temperature, seen)
        return seen

    def test_it_waits_for_the_rollout_that_was_sampled_so(self) -> None:
        self.train(10)
        self.tune(3, {"rollout-temperature": "0.8"})
        self.assertEqual(self.train(11), 1.0)
        self.assertEqual(self.tuned()[-1]["set"], {}, "the version is seen, the value does not hold yet")
        self.tune(3, {"rollout-temperature": "0.8"}, {"rollout-temperature": 13})
        self.assertEqual(self.train(12), 1.0)
        self.assertEqual(self.train(13), 0.8)
        said = self.tuned()[-1]
        self.assertEqual((said["version"], said["rollout"], said["step"]), (3, 13, 26))
        self.assertEqual((said["set"], said["by"]), ({"rollout-temperature": "0.8"}, "trainer"))

    def test_the_first_rollout_of_a_job_is_as_argv_says_and_old_relays_are_ignored(self) -> None:
        self.tune(3, {"rollout-temperature": "0.8"}, {"rollout-temperature": 12})
        self.assertEqual([self.train(20), self.train(21)], [1.0, 1.0])
        self.tune(3, {"rollout-temperature": "0.8"}, {"rollout-temperature": 22})
        self.assertEqual(self.train(22), 0.8)

    def test_a_relay_that_came_late_is_said(self) -> None:
        self.train(10)
        self.tune(3, {"rollout-temperature": "0.8"}, {"rollout-temperature": 11})
        self.train(11)
        self.tune(4, {"rollout-temperature": "0.6"})
        self.train(12)
        self.train(13)
        self.tune(4, {"rollout-temperature": "0.6"}, {"rollout-temperature": 13})
        self.assertEqual(self.train(14), 0.6)
        (notice,) = self.events("notice")
        self.assertIn("rollouts 13 to 13", notice["text"])

    def test_without_log_probabilities_the_first_step_switches(self) -> None:
        self.step(10)
        self.tune(3, {"rollout-temperature": "0.8"}, {"rollout-temperature": 11})
        self.step(10, 1)
        self.assertEqual(self.args.rollout_temperature, 1.0)
        self.step(11)
        self.assertEqual(self.args.rollout_temperature, 0.8)

    def test_it_goes_back_the_same_way(self) -> None:
        self.train(0)
        self.tune(1, {"rollout-temperature": "0.8"}, {"rollout-temperature": 1})
        self.assertEqual(self.train(1), 0.8)
        self.tune(2, {})
        self.assertEqual(self.train(2), 0.8)
        self.tune(2, {}, {"rollout-temperature": 3})
        self.assertEqual(self.train(3), 1.0)
        self.assertEqual(self.tuned()[-1]["set"], {"rollout-temperature": "1.0"})

    def test_what_argv_already_said_needs_no_relay(self) -> None:
        self.args.rollout_temperature = 0.8
        self.tune(3, {"rollout-temperature": "0.8"})
        self.train(10)
        self.assertEqual(self.tuned()[-1]["set"], {"rollout-temperature": "0.8"})
        self.tune(3, {"rollout-temperature": "0.8"}, {"rollout-temperature": 9})
        self.train(11)
        self.assertEqual((self.events("notice"), len(self.tuned())), ([], 1))


class Trouble(BridgeTest):
    """Nothing that lies in the directory, or is missing there, reaches the job."""

    def test_files_that_cannot_be_read_change_nothing(self) -> None:
        self.tune(1, {"lr": "2e-6"})
        self.step(0)
        for data in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'{"version": "3", "set": {}}',
            b'{"version": 3, "set": {"lr": 1}}',
            b'{"version": true, "set": {}}',
            b'{"version": 3, "set": {"lr": "0"}, "from": {"lr": "x"}}',
            b"\xff\xfe" * 10,
            b"[" * 100_000,
            b'{"version": 3, "set": {"lr": "' + b"1" * 2_000_000 + b'"}}',
        ):
            (self.folder / "tune.json").write_bytes(data)
            self.step(0, 1)
            self.assertEqual(self.args.lr, 2e-6)
        (self.folder / "tune.json").unlink()
        (self.folder / "tune.json").mkdir()
        self.step(1)
        (self.folder / "tune.json").rmdir()
        os.mkfifo(self.folder / "tune.json")
        self.step(1, 1)
        (self.folder / "tune.json").unlink()
        self.step(2)
        self.assertEqual(self.args.lr, 2e-6)
        self.tune(4, {"lr": "4e-6"})
        self.step(2, 1)
        self.assertEqual(self.args.lr, 4e-6)
        self.assertTrue(all("cannot read" in event["text"] for event in self.events("notice")))

    def test_no_directory_at_all(self) -> None:
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.folder)
        for folder in ("/nonexistent/rldeck", None):
            os.environ.pop("RLDECK_SHARD_DIR")
            if folder:
                os.environ["RLDECK_SHARD_DIR"] = folder
            self.restart()
            self.step(0)
            self.bridge.before_log_prob(self.args, [], "")
            self.assertIs(self.rollout(0), False)
            os.environ["RLDECK_SHARD_DIR"] = str(self.folder)
        self.assertEqual(os.listdir(self.folder), [])

    def test_objects_of_another_megatron_do_not_raise(self) -> None:
        self.tune(1, {"lr": "0", "clip-grad": "2", "adam-eps": "1e-6", "entropy-coef": "0.1"})
        for odd in (None, object(), SimpleNamespace(param_groups=[{}]), SimpleNamespace(param_groups=3)):
            self.restart()
            self.optimizer = self.scheduler = odd  # type: ignore[assignment]
            self.step(0)
            self.assertEqual(self.args.entropy_coef, 0.1)

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_a_full_disk_loses_events_and_says_how_many(self) -> None:
        events = self.folder / "events.jsonl"
        events.symlink_to("/dev/full")
        self.tune(1, {"lr": "3e-6"})
        self.step(0)
        self.assertIs(self.rollout(0), False)
        self.assertEqual(self.args.lr, 3e-6)
        events.unlink()
        self.tune(2, {"lr": "4e-6"})
        self.step(0, 1)
        self.assertIn("4 events could not be written", self.events("notice")[0]["text"])
        self.assertEqual(self.tuned()[-1]["version"], 2)

    def test_a_line_that_was_cut_off_does_not_spoil_the_next(self) -> None:
        write = os.write
        with mock.patch("os.write", lambda file, data: write(file, data[:10])):
            self.bridge.EVENTS.write({"kind": "ready"})
        self.bridge.EVENTS.write({"kind": "ready"})
        lines = (self.folder / "events.jsonl").read_text().splitlines()
        self.assertEqual(len(lines[0]), 10)
        self.assertTrue(lines[-1].endswith('"ready"}'), lines)

    def test_an_error_of_its_own_is_said_once(self) -> None:
        with mock.patch.object(self.bridge.TRAINING, "look", side_effect=RuntimeError("oh")):
            for step in range(5):
                self.step(0, step)
        (notice,) = self.events("notice")
        self.assertIn("RuntimeError: oh", notice["text"])


if __name__ == "__main__":
    unittest.main()
