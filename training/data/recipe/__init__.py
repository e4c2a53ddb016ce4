"""What a data set is made from: the options of its body, the recipe of its poses, and the record of body and camera."""
