"""An experiment: would guessing several tokens ahead and checking them in one step pay here?"""
