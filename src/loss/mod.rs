//! The losses: a registry, the shared head, one file per loss.
