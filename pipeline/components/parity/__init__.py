"""The RuntimeParity component: each device model in every runtime that is there."""
