module gallop.test

go 1.19
