//! What does the work of a job, beside the built-in engine.

pub mod slime;
