//! The client against a live sidecar, and against servers that no client may believe.

mod calls;
mod hostile;
mod live;
mod middleware;
mod processes;
