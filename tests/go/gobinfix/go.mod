module example.com/gobinfix

go 1.19
