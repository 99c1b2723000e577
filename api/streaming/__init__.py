"""Waiting and streaming: hints for coroutines, server-sent events, answers that are held until something happens."""
