//! The built-in engine: a real R1 in miniature, trained with GRPO on the CPU.
#![allow(dead_code, unused_imports)]
mod checkpoint;
mod cold_start;
mod device;
mod learner;
mod model;
mod pack;
mod random;
mod task;
