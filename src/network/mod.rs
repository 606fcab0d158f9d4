//! Layers, forward next to backward: CNN, MLP, free embeddings.
