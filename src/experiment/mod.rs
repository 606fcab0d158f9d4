//! What a run is: one description, its TOML, its checks.
