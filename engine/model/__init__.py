"""Words only: values, states, rules of time, errors. Standard library without I/O."""
