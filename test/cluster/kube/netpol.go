package main

import (
	"log"

	"k8s.io/apimachinery/pkg/labels"

	"vivarium/test/cluster/kube/nft"
	"vivarium/test/cluster/kube/policy"
)

// enforcePolicies keeps the nftables chains of each namespace (from_NAME, to_NAME) equal to its
// NetworkPolicies. The isolate plugin leads every pod's packets into its namespace's chains before
// the pod starts: what holds for every pod holds from the first packet. What holds for pods by their
// labels does from when their address is known.
func enforcePolicies() {
	_, factory := connect()
	policies := factory.Networking().V1().NetworkPolicies()
	pods := factory.Core().V1().Pods()
	namespaces := factory.Core().V1().Namespaces()
	chains, applied, told := policy.Chains{}, "", map[string]bool{}
	for range changes(factory, policies.Informer(), pods.Informer(), namespaces.Informer()) {
		knownPolicies, err := policies.Lister().List(labels.Everything())
		if err != nil {
			log.Fatal(err)
		}
		knownPods, err := pods.Lister().List(labels.Everything())
		if err != nil {
			log.Fatal(err)
		}
		knownNamespaces, err := namespaces.Lister().List(labels.Everything())
		if err != nil {
			log.Fatal(err)
		}
		known := policy.Cluster{Policies: knownPolicies, Pods: knownPods, Namespaces: knownNamespaces}
		var complaints []string
		chains, complaints = policy.Make(known, chains)
		for _, complaint := range complaints {
			if !told[complaint] {
				log.Print(complaint)
			}
			told[complaint] = true
		}
		if script := chains.Script(); script != applied {
			if err := nft.Apply(script); err != nil {
				log.Fatal(err)
			}
			applied = script
		}
	}
}
