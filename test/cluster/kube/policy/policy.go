// Package policy turns NetworkPolicies into a script for nft. It is pure: what it cannot say it returns as a complaint.
package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

const drop = "counter name dropped drop"

// Chains has the rules of each namespace's chains (from_NAME, to_NAME), in order.
type Chains map[string][]string

// Make writes the chains of all policies. Every chain of `before` is among them, with no rules where no policy has any.
// What stands in a direction of a policy is enforced as a whole or not at all: complaints tell what is not.
func Make(cluster Cluster, before Chains) (Chains, []string) {
	chains, complaints := Chains{}, []string{}
	for chain := range before {
		chains[chain] = nil
	}
	drops := Chains{} // after what any policy allows
	policies := slices.Clone(cluster.Policies)
	slices.SortFunc(policies, func(a, b *networking.NetworkPolicy) int {
		return cmp.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	for _, policy := range policies {
		for _, direction := range policy.Spec.PolicyTypes {
			if err := cluster.add(policy, direction, chains, drops); err != nil {
				complaints = append(complaints,
					fmt.Sprintf("%s/%s: %s is not enforced: %v", policy.Namespace, policy.Name, direction, err))
			}
		}
	}
	for chain, rules := range drops {
		chains[chain] = append(chains[chain], rules...)
	}
	return chains, complaints
}

func (cluster Cluster) add(
	policy *networking.NetworkPolicy, direction networking.PolicyType, chains, drops Chains,
) error {
	selector, err := meta.LabelSelectorAsSelector(&policy.Spec.PodSelector)
	if err != nil {
		return err
	}
	var chain, own string
	var allowed []string
	if direction == networking.PolicyTypeIngress {
		chain, own = "to_"+policy.Namespace, "ip daddr"
		allowed, err = cluster.sources(policy.Namespace, policy.Spec.Ingress)
	} else {
		chain, own = "from_"+policy.Namespace, "ip saddr"
		allowed, err = destinations(policy.Spec.Egress)
	}
	if err != nil {
		return err
	}
	for _, ip := range addresses(cluster.Pods, policy.Namespace, selector) {
		for _, other := range allowed {
			chains[chain] = append(chains[chain], fmt.Sprintf("%s %s %saccept", own, ip, other))
		}
		if !selector.Empty() {
			drops[chain] = append(drops[chain], fmt.Sprintf("%s %s %s", own, ip, drop))
		}
	}
	if selector.Empty() {
		drops[chain] = append(drops[chain], drop)
	}
	return nil
}

// addresses of the pods that a policy selects. One that has ended keeps its address in its status, but has it no more.
func addresses(pods []*core.Pod, namespace string, selector labels.Selector) []string {
	found := []string{}
	for _, pod := range pods {
		ended := pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed
		if pod.Namespace == namespace && pod.Status.PodIP != "" && !ended && selector.Matches(labels.Set(pod.Labels)) {
			found = append(found, pod.Status.PodIP)
		}
	}
	slices.Sort(found)
	return found
}

// Script is one transaction that makes the chains what they should be.
func (chains Chains) Script() string {
	script := &strings.Builder{}
	for _, chain := range slices.Sorted(maps.Keys(chains)) {
		fmt.Fprintf(script, "add chain inet netpol %s\nflush chain inet netpol %s\n", chain, chain)
		for _, rule := range chains[chain] {
			fmt.Fprintf(script, "add rule inet netpol %s %s\n", chain, rule)
		}
	}
	return script.String()
}
