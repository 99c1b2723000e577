"""What the planner predicts, beside what others measured."""
