"""The statistics of a confirmation: who is best, who may leave a race, how many seeds that takes."""
