"""Entry points of the Lambda functions: they wire, and call one function of the logic."""
