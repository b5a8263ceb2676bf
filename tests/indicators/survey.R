# What R's survey says of a sample. Rscript survey.R SAMPLE.csv STAGES LONELY: lines of `name,estimate,error`.
suppressMessages(library(survey))
options(digits = 17)
args <- commandArgs(trailingOnly = TRUE)
options(survey.lonely.psu = args[3])
s <- read.csv(args[1], colClasses = c(stratum = "character", psu = "character", ssu = "character"))
s$y <- as.numeric(s$met == 1)
s$male <- as.numeric(s$sex == "M")
d <- switch(args[2],
  "0" = svydesign(id = ~psu, strata = ~stratum, weights = ~weight, data = s, nest = TRUE),
  "1" = svydesign(id = ~psu, strata = ~stratum, weights = ~weight, fpc = ~population_units, data = s, nest = TRUE),
  "2" = svydesign(id = ~psu + ssu, strata = ~stratum, weights = ~weight, fpc = ~population_units + population_ssus, data = s, nest = TRUE))
say <- function(name, x) cat(name, format(as.numeric(coef(x))[1]), format(as.numeric(SE(x))[1]), sep = ",", fill = TRUE)
say("total", svytotal(~y, d))
say("share", svymean(~y, d))
say("mean", svymean(~value, d))
say("ratio", svyratio(~I(y * male), ~I(1 - male), d))
women <- subset(d, sex == "F")
say("mean of women", svymean(~value, women))
say("total of women", svytotal(~y, women))
by <- svyby(~value, ~sex, d, svymean, covmat = TRUE)
say("difference", svycontrast(by, c(M = 1, F = -1)))
for (p in c(.1, .5, .8)) {
  q <- svyquantile(~value, d, p)[[1]]
  cat(paste0("quantile ", p), format(q[1, 1]), format(q[1, 4]), sep = ",", fill = TRUE)
}
