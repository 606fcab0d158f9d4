//! What a picture consists of, built from a snapshot and a view state.
