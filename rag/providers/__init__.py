"""Chat models behind the OpenAI protocol: what to call, how long to wait, what failed, what it cost."""
