"""What happens when something dies: each fault is brought about for real, and counted (`make faults`)."""
