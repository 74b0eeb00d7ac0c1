"""What a lesson's formulas mean: symbols bound to quantities of a random net, expressions with their indices."""
