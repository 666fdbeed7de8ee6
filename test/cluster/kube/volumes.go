package main

import (
	"context"
	"log"
	"os"
	"path/filepath"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
)

const (
	provisioner   = "vivarium.dev/folders"
	wantedFrom    = "volume.kubernetes.io/storage-provisioner"
	provisionedBy = "pv.kubernetes.io/provisioned-by"
)

// provideVolumes gives each claim of the StorageClass a folder of the node below the second argument, and removes
// what a deleted claim had.
func provideVolumes() {
	client, factory := connect()
	claims := factory.Core().V1().PersistentVolumeClaims()
	volumes := factory.Core().V1().PersistentVolumes()
	for range changes(factory, claims.Informer(), volumes.Informer()) {
		wanted, err := claims.Lister().List(labels.Everything())
		if err != nil {
			log.Fatal(err)
		}
		for _, claim := range wanted {
			if claim.Status.Phase == core.ClaimPending && claim.Annotations[wantedFrom] == provisioner {
				if err := provide(client, claim, os.Args[2]); err != nil && !errors.IsAlreadyExists(err) {
					log.Print(err)
				}
			}
		}
		made, err := volumes.Lister().List(labels.Everything())
		if err != nil {
			log.Fatal(err)
		}
		for _, volume := range made {
			if volume.Status.Phase == core.VolumeReleased && volume.Annotations[provisionedBy] == provisioner {
				if err := remove(client, volume); err != nil && !errors.IsNotFound(err) {
					log.Print(err)
				}
			}
		}
	}
}

func provide(client kubernetes.Interface, claim *core.PersistentVolumeClaim, root string) error {
	name := "pvc-" + string(claim.UID)
	folder := filepath.Join(root, name)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	if err := os.Chmod(folder, 0o777); err != nil { // whoever a pod runs as; the umask took it away
		return err
	}
	volume := &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: name, Annotations: map[string]string{provisionedBy: provisioner}},
		Spec: core.PersistentVolumeSpec{
			AccessModes:                   claim.Spec.AccessModes,
			Capacity:                      core.ResourceList{core.ResourceStorage: claim.Spec.Resources.Requests[core.ResourceStorage]},
			StorageClassName:              *claim.Spec.StorageClassName,
			PersistentVolumeReclaimPolicy: core.PersistentVolumeReclaimDelete,
			PersistentVolumeSource:        core.PersistentVolumeSource{HostPath: &core.HostPathVolumeSource{Path: folder}},
			ClaimRef: &core.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
		},
	}
	_, err := client.CoreV1().PersistentVolumes().Create(context.Background(), volume, meta.CreateOptions{})
	return err
}

func remove(client kubernetes.Interface, volume *core.PersistentVolume) error {
	if err := os.RemoveAll(volume.Spec.HostPath.Path); err != nil {
		return err
	}
	return client.CoreV1().PersistentVolumes().Delete(context.Background(), volume.Name, meta.DeleteOptions{})
}
