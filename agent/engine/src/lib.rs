//! The built-in RL engine: a real R1 in miniature.
