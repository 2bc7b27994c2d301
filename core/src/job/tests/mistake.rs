//! Job files with mistakes, each with exactly what is said about it.

use super::*;

#[test]
fn what_is_not_toml() {
    check(&[
        (
            "recipe = r1-mini\n",
            &[
                "job.toml:1: error: not TOML at column 10: a text stands in quotes: write \"r1-mini\" (here: recipe = r1-mini)",
            ],
        ),
        (
            "recipe = \"r1-mini\nengine = \"embedded\"\n",
            &[
                "job.toml:1: error: not TOML at column 18: a text ends with the quote that it began with, on the same line (here: recipe = \"r1-mini)",
            ],
        ),
        (
            "recipe \"r1-mini\"\n",
            &[
                "job.toml:1: error: not TOML at column 8: a line is key = value; a flag is written key = true (here: recipe \"r1-mini\")",
            ],
        ),
        ("recipe =\n", &["job.toml:1: error: not TOML at column 9: nothing stands after the = (here: recipe =)"]),
        (
            "[rollout\nnum-rollout = 1\n",
            &["job.toml:1: error: not TOML at column 9: a table is written [name], alone on its line (here: [rollout)"],
        ),
        (
            "[grpo]\nuse-kl-loss = yes\neps-clip = 0.2 # low\nkl-coef = none // no\n",
            &[
                "job.toml:2: error: not TOML at column 15: a flag is written true (here: use-kl-loss = yes)",
                "job.toml:4: error: not TOML at column 11: a comment begins with # (here: kl-coef = none // no)",
            ],
        ),
        (
            "[eval]\neval-prompt-data = [\"aime\" \"/data/aime.jsonl\"]\n",
            &[
                "job.toml:2: error: not TOML at column 28: several values are written [\"one\", \"two\"] (here: eval-prompt-data = [\"aime\" \"/data/aime.jsonl\"])",
            ],
        ),
        (
            "[rollout]\nnum-rollout = 1\nnum-rollout = 2\n[grpo]\n[rollout]\n",
            &[
                "job.toml:3: error: not TOML at column 1: this key is there twice: keep one of them (here: num-rollout = 2)",
                "job.toml:5: error: not TOML at column 2: this table is there twice: put its keys together (here: [rollout])",
            ],
        ),
        (
            "[checkpoint]\nsave = \"C:\\models\"\n",
            &[
                "job.toml:2: error: not TOML at column 12: a backslash in a text is written twice, or the text stands in single quotes (here: save = \"C:\\models\")",
            ],
        ),
        (
            "[optimizer]\nlr = .001\n",
            &[
                "job.toml:2: error: not TOML at column 6: this is not a number; a text stands in quotes (here: lr = .001)",
            ],
        ),
        (
            "[rollout] num-rollout = 1\n",
            &[
                "job.toml:1: error: not TOML at column 11: each key = value and each [table] has a line of its own (here: [rollout] num-rollout = 1)",
            ],
        ),
        (
            "#!/bin/bash\nset -e\nARGS=(\n  --lr 1e-6\n)\n",
            &[
                "job.toml:2: error: not TOML at column 5: a line is key = value; a flag is written key = true (here: set -e)",
                "job.toml:4: error: not TOML at column 8: a line is key = value; a flag is written key = true (here: --lr 1e-6)",
                "job.toml:5: error: not TOML at column 2: a line is key = value; a flag is written key = true (here: ))",
            ],
        ),
    ]);
}

#[test]
fn keys_and_tables_that_are_not_known() {
    check(&[
        (
            "recipe = \"r1-mini\"\nengin = \"embedded\"\nlr = 1e-3\nrollout = 3\nwarp = 9\n",
            &[
                "job.toml:2: error: engin is unknown here: did you mean engine?",
                "job.toml:3: error: lr stands above all tables: write it below [optimizer]",
                "job.toml:4: error: rollout is a table: write [rollout] and its keys below",
                "job.toml:5: error: warp is unknown here: above all tables stand name, recipe, engine, allow",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[optimiser]\nlr = 1e-3\n[algorithm]\n[name]\n[[rollout]]\n[warp]\n",
            &[
                "job.toml:2: error: the table [optimiser] is unknown: did you mean [optimizer]?",
                "job.toml:4: error: the table [algorithm] is unknown: did you mean [grpo]?",
                "job.toml:5: error: name is a key: write name = \"...\" above all tables",
                "job.toml:6: error: [[rollout]] has a bracket too many: write [rollout]",
                "job.toml:7: error: the table [warp] is unknown: the tables are model, checkpoint, rollout, optimizer, \
                 grpo, wandb, perf, eval, sglang, misc, cluster, env, slime, restart, alert",
            ],
        ),
        ("recipe = \"r1-minni\"\n", &["job.toml:1: error: the recipe \"r1-minni\" is unknown: did you mean r1-mini?"]),
        (
            "recipe = \"gpt\"\n[optimizer]\nlr = \"fast\"\n",
            &[
                "job.toml:1: error: the recipe \"gpt\" is unknown: there is r1-mini, deepseek-r1, qwen3-4b",
                "job.toml:3: error: lr is \"fast\": it must be a number from 0 to 10",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[grpo]\nesp-clip = 0.3\nwarp-speed = 9\n",
            &[
                "job.toml:3: warning: esp-clip is unknown and left out: did you mean eps-clip?",
                "job.toml:4: warning: warp-speed is unknown and left out",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[rollout]\ntemperature = 0.9\nrollout_batch_size = 8\n--num-rollout = 3\n\"num rollout\" = 3\nrollout.num = 3\n",
            &[
                "job.toml:3: warning: temperature is unknown and left out: did you mean rollout-temperature?",
                "job.toml:4: error: rollout_batch_size is written rollout-batch-size in a job file",
                "job.toml:5: error: --num-rollout is written num-rollout in a job file",
                "job.toml:6: error: \"num rollout\" cannot be the name of an argument: write letters, digits and -",
                "job.toml:7: error: [rollout.rollout] is a table inside a table: write key = value below [rollout]",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[cluster]\ngpu-per-node = 8\n[restart]\nretries = 3\n[misc]\ncolocate = true\nactor-num-nodes = 2\n",
            &[
                "job.toml:3: error: gpu-per-node is unknown in [cluster]: did you mean gpus-per-node?",
                "job.toml:5: error: retries is unknown in [restart]: its keys are max-restarts, window-minutes, \
                 backoff-seconds, early-restarts, shard-restarts",
                "job.toml:7: error: colocate belongs in [cluster]: write it there",
                "job.toml:8: error: actor-num-nodes follows from [cluster]: write hosts and gpus-per-node there",
            ],
        ),
    ]);
}

#[test]
fn values_that_are_not_allowed() {
    check(&[
        (
            "recipe = \"r1-mini\"\n[optimizer]\nlr = \"fast\"\nclip-grad = true\nweight-decay = [0.1, 0.2]\n\
             [rollout]\nn-samples-per-prompt = -1\nrollout-batch-size = 8.5\nrollout-temperature = 0\nnum-rollout = 2026-11-23\n",
            &[
                "job.toml:3: error: lr is \"fast\": it must be a number from 0 to 10",
                "job.toml:4: error: clip-grad is true: it must be a number, at least 0",
                "job.toml:5: error: weight-decay is an array: it must be a number from 0 to 10",
                "job.toml:7: error: n-samples-per-prompt is -1: it must be a whole number, at least 1",
                "job.toml:8: error: rollout-batch-size is 8.5: it must be a whole number, at least 1",
                "job.toml:9: error: rollout-temperature is 0: it must be a number from 0.001 to 100",
                "job.toml:10: error: num-rollout is a date: it must be a whole number, at least 1",
            ],
        ),
        (
            "recipe = \"r1-mini\"\nengine = \"embeded\"\nname = \"../etc\"\n[grpo]\nuse-kl-loss = 1\nkl-loss-type = \"low_vra_kl\"\neps-clip = nan\n",
            &[
                "job.toml:2: error: engine is \"embeded\": it must be one of embedded, slime (did you mean embedded?)",
                "job.toml:3: error: name is \"../etc\": it names directories, so write letters, digits and - _ . only",
                "job.toml:5: error: use-kl-loss is 1: it must be true or false",
                "job.toml:6: error: kl-loss-type is \"low_vra_kl\": it must be one of k1, k2, k3, low_var_kl (did you mean low_var_kl?)",
                "job.toml:7: error: eps-clip is \"nan\": it must be a number, at least 0",
            ],
        ),
        (
            "recipe = 7\nname = true\nresolved = 1\n",
            &[
                "job.toml:1: error: recipe is 7: write recipe = \"...\"",
                "job.toml:2: error: name is true: write name = \"...\"",
                "job.toml:3: error: resolved is 1: it must be true or false",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[eval]\neval-prompt-data = []\n[checkpoint]\nsave = \"\"\nload = \"a\\u0000b\"\n\
             [misc]\nlayers = [1, [2, 3]]\nwhen = 2026-11-23\nseed = 99999999999999999999\n",
            &[
                "job.toml:3: error: eval-prompt-data has no value: write false to leave it out",
                "job.toml:5: error: save is \"\": it must be a path",
                "job.toml:6: error: load has a zero byte in it, which no process can be given",
                "job.toml:8: error: layers is an array with an array in it: it must be a text, a number, true, or an array of texts",
                "job.toml:9: error: when is a date: it must be a text, a number, true, or an array of texts",
                "job.toml:10: error: seed is 99999999999999999999: it must be a whole number, at least 0",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[cluster]\nhosts = true\ngpus-per-node = 0\n[restart]\nbackoff-seconds = \"soon\"\n\
             [alert]\n\"rollout/raw_reward\" = \"falls\"\n\"train/grad_norm\" = [\"> 10\", \"> 5 for 0\"]\n[env]\nPATH = [\"a\"]\n\"A B\" = \"c\"\n",
            &[
                "job.toml:3: error: hosts is true: it must be one value or several",
                "job.toml:4: error: gpus-per-node is 0: it must be a whole number from 1 to 1024",
                "job.toml:6: error: backoff-seconds is \"soon\": it must be a number from 0 to 86400",
                "job.toml:8: error: rollout/raw_reward is \"falls\": write it like \"> 0.5\" or \"< 0.1 for 20\"",
                "job.toml:9: error: train/grad_norm is \"> 5 for 0\": write it like \"> 0.5\" or \"< 0.1 for 20\"",
                "job.toml:11: error: PATH is an array: a variable is a text, like PATH = \"value\"",
                "job.toml:12: error: \"A B\" is no name of a variable: write letters, digits and _",
            ],
        ),
    ]);
}

#[test]
fn arguments_in_the_wrong_table() {
    check(&[
        (
            "recipe = \"r1-mini\"\n[rollout]\nlr = 1e-3\n",
            &[
                "job.toml:3: warning: lr stands in [rollout] but belongs in [optimizer]",
                "job.toml:3: error: lr is in [optimizer] too (recipe r1-mini:N): keep one of them",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[perf]\nuse-kl-loss = true\n",
            &["job.toml:3: warning: use-kl-loss stands in [perf] but belongs in [grpo]"],
        ),
        (
            "recipe = \"r1-mini\"\n[misc]\nrollout-seed = false\n",
            &[
                "job.toml:3: error: rollout-seed = false in [misc] does nothing, for [rollout] sets it (recipe r1-mini:N): write it there",
            ],
        ),
        // Below [misc] anything may stand again: a launch script overrides there.
        ("recipe = \"r1-mini\"\n[misc]\nlr = 1e-3\n", &[]),
    ]);
}

#[test]
fn what_a_job_needs() {
    check(&[
        (
            "name = \"mine\"\n\n[rollout]\nn-samples-per-prompt = 4\n",
            &[
                "job.toml:3: error: num-rollout is missing: write below [rollout] after how many rollouts the job ends",
                "job.toml:3: error: rollout-batch-size is missing: write below [rollout] how many groups a rollout has",
                "job.toml:3: error: prompt-data is missing: write below [rollout] the file of the prompts",
            ],
        ),
        (
            "engine = \"slime\"\n[rollout]\nnum-epoch = 3\nrollout-batch-size = \"many\"\n[cluster]\nhosts = [\"a\"]\nhostfile = \"/etc/hosts\"\n",
            &[
                "job.toml:1: error: hf-checkpoint is missing: write below [checkpoint] the directory of the model",
                "job.toml:4: error: rollout-batch-size is \"many\": it must be a whole number, at least 1",
                "job.toml:6: error: there are hosts and a hostfile: keep one of them",
            ],
        ),
    ]);
}

#[test]
fn variables_that_cannot_be_looked_up() {
    check(&[
        (
            "recipe = \"r1-mini\"\n[env]\nDATA = \"${HOME}/data\"\n[rollout]\nprompt-data = \"${DTAA}/a.jsonl\"\ninput-key = \"${WARP}\"\nlabel-key = \"$HOME\"\n\
             [checkpoint]\nsave = \"${HOME/x\"\nload = \"${}\"\n",
            &[
                "job.toml:5: error: the variable DTAA is unknown: did you mean ${DATA}?",
                "job.toml:6: error: the variable WARP is unknown: set it in [env] or in the environment, or write $${WARP} for the text itself",
                "job.toml:7: error: $HOME is not looked up: write ${HOME}, or $$HOME for the text itself",
                "job.toml:9: error: \"${HOME/x\" has a ${ that names no variable: write ${NAME}, or $$ for a dollar sign",
                "job.toml:10: error: \"${}\" has a ${ that names no variable: write ${NAME}, or $$ for a dollar sign",
            ],
        ),
        (
            // One mistake is said once, however many use it.
            "recipe = \"r1-mini\"\n[env]\nA = \"${B}\"\nB = \"${C}/b\"\nC = \"${A}/c\"\nD = \"${A}\"\nE = \"${NOWHERE}\"\n[checkpoint]\nsave = \"${A}/${D}/${E}\"\n",
            &[
                "job.toml:5: error: A goes round in a circle (A -> B -> C -> A): give one of them a value without the others",
                "job.toml:7: error: the variable NOWHERE is unknown: set it in [env] or in the environment, or write $${NOWHERE} for the text itself",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[env]\nNEW = \"${NEW}:more\"\n",
            &[
                "job.toml:3: error: the variable NEW is unknown: set it in [env] or in the environment, or write $${NEW} for the text itself",
            ],
        ),
    ]);
}
