"""The peers' programs. Each runs in the environment of its library; see `benchmarks.serving.contenders`."""
