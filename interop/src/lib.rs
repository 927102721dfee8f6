//! What keyvouch writes, read by the libraries of others: see `tests/`.
