//! End to end: real processes, real gRPC, a real terminal. One binary, so that it links once; the tests take turns, because each
//! of them needs the machine to itself.

#![allow(clippy::unwrap_used, unreachable_pub, missing_docs, reason = "a test that cannot go on has failed")]

mod rig;

mod bad_input;
mod bridge;
mod catalogue;
mod cluster;
mod headless;
mod hosts;
mod learning;
mod plan;
mod slime_on_ray;
mod standin;
mod survival;
mod terminal;
mod tuning;
