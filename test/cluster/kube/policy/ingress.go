package policy

import (
	"errors"
	"fmt"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Cluster is what is known of it.
type Cluster struct {
	Policies   []*networking.NetworkPolicy
	Pods       []*core.Pod
	Namespaces []*core.Namespace
}

// sources of ingress rules to pods of a namespace: a match of nft for each. An empty one matches all.
func (cluster Cluster) sources(namespace string, rules []networking.NetworkPolicyIngressRule) ([]string, error) {
	matches := []string{}
	for _, rule := range rules {
		peers, err := each(rule.From, func(peer networking.NetworkPolicyPeer) (string, bool, error) {
			if peer.IPBlock != nil {
				return "", false, errors.New("a peer is an ipBlock")
			}
			return cluster.pods(namespace, peer)
		})
		if err != nil {
			return nil, err
		}
		ports, err := each(rule.Ports, port)
		if err != nil {
			return nil, err
		}
		for _, peer := range peers {
			for _, port := range ports {
				matches = append(matches, peer+port)
			}
		}
	}
	return matches, nil
}

// pods matches those of a peer; not ok where there are none.
func (cluster Cluster) pods(namespace string, peer networking.NetworkPolicyPeer) (string, bool, error) {
	selector, err := selectorOf(peer.PodSelector)
	if err != nil {
		return "", false, err
	}
	namespaces, err := meta.LabelSelectorAsSelector(peer.NamespaceSelector)
	if err != nil {
		return "", false, err
	}
	found := []string{}
	for _, each := range cluster.Namespaces {
		own := peer.NamespaceSelector == nil && each.Name == namespace
		if own || namespaces.Matches(labels.Set(each.Labels)) {
			found = append(found, addresses(cluster.Pods, each.Name, selector)...)
		}
	}
	return fmt.Sprintf("ip saddr { %s } ", strings.Join(found, ", ")), len(found) > 0, nil
}

// selectorOf is everything where nothing is selected: of pods in selected namespaces that means all.
func selectorOf(selector *meta.LabelSelector) (labels.Selector, error) {
	if selector == nil {
		return labels.Everything(), nil
	}
	return meta.LabelSelectorAsSelector(selector)
}
