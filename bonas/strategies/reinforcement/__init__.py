"""Reinforcement learning: a policy that learns from rewards to propose architectures."""
