package world

// Robot is a chat robot.
type Robot struct{ Name string }
