"""How fast the engine is: workloads of this product, measured beside other ways of doing the same on one machine."""
