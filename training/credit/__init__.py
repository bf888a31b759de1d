"""What credit learns offline: priors, weights and the severity of raters, from what collaborations came to."""
