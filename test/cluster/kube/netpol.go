package main
func enforcePolicies(){}
