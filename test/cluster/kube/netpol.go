package main

import (
	"fmt"
	"log"
	"os"
	"strings"

	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"

	"vivarium/test/cluster/kube/nft"
)

// enforcePolicies keeps the nftables chains of each namespace (from_NAME, to_NAME) equal to its
// NetworkPolicies. The isolate plugin leads every pod's packets into its namespace's chains before
// the pod starts. Only "deny all" is known, for egress, ingress or both: what the cluster is for.
func enforcePolicies() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	factory := informers.NewSharedInformerFactory(kubernetes.NewForConfigOrDie(config), 0)
	policies := factory.Networking().V1().NetworkPolicies()

	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	policies.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(any, any) { notify() },
		DeleteFunc: func(any) { notify() },
	})
	factory.Start(nil)
	factory.WaitForCacheSync(nil)

	chains := map[string]bool{} // every chain ever written: one without a policy is emptied
	for range changed {
		list, err := policies.Lister().List(labels.Everything())
		if err != nil {
			log.Fatal(err)
		}
		if err := nft.Apply(rules(list, chains)); err != nil {
			log.Fatal(err)
		}
	}
}

func rules(policies []*networking.NetworkPolicy, chains map[string]bool) string {
	for chain := range chains {
		chains[chain] = false
	}
	for _, policy := range policies {
		if !deniesAll(policy) {
			log.Printf("%s/%s: only policies that deny all to every pod are enforced", policy.Namespace, policy.Name)
			continue
		}
		for _, direction := range policy.Spec.PolicyTypes {
			if direction == networking.PolicyTypeEgress {
				chains["from_"+policy.Namespace] = true
			} else {
				chains["to_"+policy.Namespace] = true
			}
		}
	}
	script := &strings.Builder{}
	for chain, drop := range chains {
		fmt.Fprintf(script, "add chain inet netpol %s\nflush chain inet netpol %s\n", chain, chain)
		if drop {
			fmt.Fprintf(script, "add rule inet netpol %s counter name dropped drop\n", chain)
		}
	}
	return script.String()
}

func deniesAll(policy *networking.NetworkPolicy) bool {
	spec := policy.Spec
	everyPod := len(spec.PodSelector.MatchLabels) == 0 && len(spec.PodSelector.MatchExpressions) == 0
	return everyPod && len(spec.Ingress) == 0 && len(spec.Egress) == 0
}
