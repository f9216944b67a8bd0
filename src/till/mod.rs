//! The rules of the till. No I/O, no threads, no clock: time comes in with every command.

pub mod text;
