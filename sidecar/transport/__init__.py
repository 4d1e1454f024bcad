"""gRPC on listeners: messages to questions, answers to messages."""
