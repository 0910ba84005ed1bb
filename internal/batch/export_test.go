package batch

// SignsElsewhere is what a pool's operator is held against.
var SignsElsewhere = (*Batches).signsElsewhere
